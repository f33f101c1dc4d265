import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { readConfig, type RunningInference, startInference } from '@atelier/inference';
import { eventually } from '../support/eventually.ts';
import { garmentImage, pngOf } from '../support/pictures.ts';
import { publishTiny } from '../support/published-version.ts';
import { connectTo, headOf, type RawRequest } from '../support/raw-request.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { zipFile } from '../support/zip-file.ts';

const REQUEST_MS = 1_000;
const STALLED_MS = 1_500;
const UPLOAD_MS = 2_500;

function assertRefused(answer: string, why: string): void {
  assert.match(answer, /^HTTP\/1\.1 408 /);
  const { type, detail } = JSON.parse(answer.slice(answer.indexOf('{'))) as { type: string; detail: string };
  assert.deepEqual([type, detail], ['/problems/upload-timeout', why]);
}

describe('files for an evaluation or a batch', { timeout: 60_000 }, () => {
  /** Of more bytes than what counts as nothing. */
  const archive = () =>
    zipFile([
      { name: '3/a.png', data: png },
      { name: '3/b.png', data: Buffer.alloc(30_000), method: 0 },
    ]);
  const zip = { 'Content-Type': 'application/zip' };
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let scratch: string;
  let service: RunningInference;
  /** Whose time for a whole upload is short. */
  let hasty: RunningInference;
  let png: Buffer;
  const open: RawRequest[] = [];

  before(async () => {
    folder = await temporaryFolder();
    scratch = join(folder.path, 'scratch');
    await mkdir(scratch);
    await publishTiny(join(folder.path, 'models'));
    const environment = {
      ...{ INFERENCE_PORT: '0', INFERENCE_WORKERS: '1', MODELS_DIR: join(folder.path, 'models') },
      ...{ INFERENCE_HEADERS_TIMEOUT_MS: String(REQUEST_MS), INFERENCE_REQUEST_TIMEOUT_MS: String(REQUEST_MS) },
      ...{ INFERENCE_STALLED_MS: String(STALLED_MS), INFERENCE_SCRATCH_DIR: scratch },
    };
    const { log } = recordedLog();
    service = await startInference(readConfig(environment), log);
    hasty = await startInference(readConfig({ ...environment, INFERENCE_UPLOAD_TIMEOUT_MS: String(UPLOAD_MS) }), log);
    await Promise.all([service.settled, hasty.settled]);
    png = await pngOf(garmentImage());
  });
  after(async () => {
    await Promise.all([service.close(0), hasty.close(0)]);
    await folder.remove();
  });
  afterEach(async () => {
    for (const connection of open.splice(0)) connection.destroy();
    await eventually('another may begin', async () => {
      const answer = await fetch(`${service.url}/evaluate`, { method: 'POST', headers: zip, body: archive() });
      return answer.status === 200 ? true : null;
    });
    assert.deepEqual(await readdir(scratch), []);
  });

  async function connection({ url } = service): Promise<RawRequest> {
    const connected = await connectTo(url);
    open.push(connected);
    return connected;
  }

  /** Sends `bytes` in so many pieces, each after a pause. */
  async function dribble(client: RawRequest, bytes: Uint8Array, pieces: number, pauseMs: number): Promise<void> {
    const length = Math.ceil(bytes.length / pieces);
    for (let start = 0; start < bytes.length && !client.socket.closed; start += length) {
      client.write(bytes.subarray(start, start + length));
      await setTimeout(pauseMs);
    }
  }

  for (const path of ['/evaluate', '/predict/batch']) {
    test(`to ${path} may take longer to arrive than other requests`, async () => {
      const client = await connection();
      const body = archive();
      client.write(headOf(path, body.length, zip));
      await dribble(client, body, 6, (2 * REQUEST_MS) / 6);
      assert.match(await client.receives(/\}\n?(\r\n0\r\n\r\n)?$/), /^HTTP\/1\.1 200 /);
    });
  }

  test('may be read as slowly as their sender reads the answers to them', async () => {
    const count = 20_000;
    const long = 'x'.repeat(2_000);
    const name = long.slice(0, 100); // in the answer, too: more than the system keeps for a client that does not read
    const part = `--x\r\nContent-Disposition: form-data; name="image"; filename="${name}"\r\n\r\n${long}\r\n`;
    const body = `${part.repeat(count)}--x--\r\n`;
    const client = await connection();
    client.socket.pause();
    client.write(headOf('/predict/batch', body.length, { 'Content-Type': 'multipart/form-data; boundary=x' }));
    client.write(body);
    await setTimeout(1.5 * REQUEST_MS);
    assert.ok(client.socket.writableLength > 0, 'a part of the form is still here');
    client.socket.resume();
    const answer = await client.receives(/\r\n0\r\n\r\n$/);
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.equal(answer.match(/"code":"unsupported-media-type"/g)?.length, count);
  });

  test('that stop coming are refused with 408 after a while, and others may begin', async () => {
    const client = await connection();
    const began = performance.now();
    client.write(headOf('/evaluate', 1_000_000, zip));
    client.write(Buffer.alloc(100_000));
    const answer = await client.ended();
    assertRefused(answer, 'Nothing came in 1500 ms; expected at least 1536 bytes.');
    assert.ok(performance.now() - began >= STALLED_MS);
  });

  test('of which a byte comes now and then are refused as if nothing did', async () => {
    const client = await connection();
    client.write(headOf('/evaluate', 1_000_000, zip));
    const dribbled = dribble(client, Buffer.alloc(1_000), 1_000, STALLED_MS / 10);
    const answer = await client.ended();
    assert.match(answer, /"detail":"Only [1-9]\d? bytes came in 1500 ms; expected at least 1536 bytes\."/);
    await dribbled;
  });

  test('that come slowly are refused with 408 when their time is over', async () => {
    const client = await connection(hasty);
    client.write(headOf('/evaluate', 10_000_000, zip));
    const dribbled = dribble(client, Buffer.alloc(1_000_000), 1_000, STALLED_MS / 30);
    const answer = await client.ended();
    assertRefused(answer, 'The upload took more than 2500 ms.');
    await dribbled;
  });
});
