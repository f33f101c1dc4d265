import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { readConfig, type RunningInference, startInference } from '@atelier/inference';
import { post } from '../support/posted.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { connectTo, headOf, type RawRequest } from '../support/raw-request.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const json = JSON.stringify({ pixels: [[...randomImage(1)]] });
const type = { 'Content-Type': 'application/json' };

describe('beside clients that take their time', { timeout: 60_000 }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: RunningInference;
  const open: RawRequest[] = [];
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    const environment = {
      ...{ INFERENCE_PORT: '0', INFERENCE_WORKERS: '1', MODELS_DIR: folder.path },
      ...{ INFERENCE_HEADERS_TIMEOUT_MS: '500', INFERENCE_REQUEST_TIMEOUT_MS: '1000' },
    };
    service = await startInference(readConfig(environment), recordedLog().log);
    await service.settled;
  });
  after(async () => {
    await service.close(0);
    await folder.remove();
  });
  afterEach(() => {
    for (const connection of open.splice(0)) connection.destroy();
  });

  /** `count` connections that send `start` at once and the rest a byte at a time. */
  async function dribble(count: number, start: string): Promise<void> {
    for (let index = 0; index < count; index++) {
      const connection = await connectTo(service.url);
      open.push(connection);
      connection.write(start);
      const timer = setInterval(() => connection.write('a'), 50);
      connection.socket.once('close', () => clearInterval(timer));
    }
  }

  async function othersAreAnswered(): Promise<void> {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(service.url, JSON.parse(json) as object)));
    for (const { status } of answers) assert.equal(status, 200);
  }

  for (const [what, start] of [
    ['headers', 'POST /predict HTTP/1.1\r\nHost: localhost\r\nX: '],
    ['bodies', headOf('/predict', json.length, type) + json.slice(0, 50)],
    [
      'bodies in chunks',
      'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n',
    ],
    ['nothing', ''],
  ] as const) {
    test(`that dribble ${what}, others are answered, and these are ended`, async () => {
      if (start === '') for (let index = 0; index < 50; index++) open.push(await connectTo(service.url));
      else await dribble(50, start);
      await othersAreAnswered();
      for (const answer of await Promise.all(open.map((connection) => connection.ended()))) {
        assert.match(answer, start === '' ? /^(HTTP\/1\.1 408 [^]*)?$/ : /^HTTP\/1\.1 408 [^]*\/problems\//);
      }
    });
  }

  test('that never read their answers, others are answered and memory is bounded', async () => {
    const before = process.memoryUsage().rss;
    const request = headOf('/predict', json.length, type) + json;
    for (let index = 0; index < 20; index++) {
      const connection = await connectTo(service.url);
      open.push(connection);
      connection.socket.pause();
      connection.write(request.repeat(200)); // one after the other on each connection
    }
    for (let round = 0; round < 10; round++) await othersAreAnswered();
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 200_000_000, `${grown} bytes`);
  });

  test('that are still sending what was refused, these are told so and hung up on', async () => {
    const connection = await connectTo(service.url);
    open.push(connection);
    connection.write(headOf('/predict', 10_000_000, { 'Content-Type': 'text/plain' }));
    connection.write('x'.repeat(1000));
    const answer = await connection.ended();
    assert.match(answer, /^HTTP\/1\.1 415 /);
    assert.match(answer, /\r\nConnection: close\r\n/);
  });

  test('that leave in the middle of a body that was refused, there is no second answer', async () => {
    const connection = await connectTo(service.url);
    open.push(connection);
    connection.write(headOf('/predict', 1000, { 'Content-Type': 'text/plain' }));
    await connection.receives(/\}$/);
    connection.socket.end('xxx');
    const answer = await connection.ended();
    assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1, answer);
  });

  test('that vanish without a word, the service is as ready as ever', async () => {
    for (let index = 0; index < 50; index++) {
      const connection = await connectTo(service.url);
      connection.write(headOf('/predict', json.length, type) + json.slice(0, index * 40));
      connection.socket.resetAndDestroy();
    }
    await othersAreAnswered();
    await until('it is ready', async () => (await fetch(`${service.url}/readyz`)).status === 200);
  });
});
