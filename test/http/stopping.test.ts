import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { readConfig, startInference } from '@atelier/inference';
import type { ProblemDetails } from '../support/answers.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a service that is stopping says so on open connections, and finishes what it has accepted', async (t) => {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  await publishTiny(folder.path);
  const { log, lines } = recordedLog();
  const service = await startInference(
    readConfig({ MODELS_DIR: folder.path, INFERENCE_PORT: '0', INFERENCE_GRACE_MS: '0', DEVICE: 'cpu' }),
    log,
  );
  t.after(() => service.close());
  await service.settled;
  const messages = lines.map(({ msg }) => msg);
  assert.match(messages[0] ?? '', /^Inference listens on /, 'it listens before it says what it serves');
  assert.equal(messages[1], 'Serving fashion-mlp/1 on cpu');

  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const readyz = async () => {
    const [response] = (await once(get(`${service.url}/readyz`, { agent }), 'response')) as [IncomingMessage];
    return { response, body: JSON.parse(await text(response)) as ProblemDetails };
  };
  const ready = await readyz();
  assert.equal(ready.response.statusCode, 200);
  assert.notEqual(ready.response.headers.connection, 'close');

  // A request of which one half has arrived when the service is told to stop.
  const body = JSON.stringify({ pixels: [[...randomImage(1)]] });
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
  const accepted = request(`${service.url}/predict`, { method: 'POST', headers });
  accepted.write(body.slice(0, 100));
  while (!(await isKnown(service.url))) await new Promise(setImmediate);

  const closed = service.close();
  const { response, body: details } = await readyz();
  assert.equal(response.statusCode, 503);
  assert.equal(details.type, '/problems/shutting-down');
  assert.deepEqual([response.headers.connection, response.headers['retry-after']], ['close', '5']);
  accepted.end(body.slice(100));
  const [answer] = (await once(accepted, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 200, await text(answer));
  assert.equal(answer.headers.connection, 'close');
  await closed;

  /** A request after the other one has come and gone: the other one's headers have been read. */
  async function isKnown(url: string): Promise<boolean> {
    const [probe] = (await once(get(`${url}/healthz`, { agent: false }), 'response')) as [IncomingMessage];
    probe.resume();
    return accepted.socket?.bytesWritten !== 0;
  }
});
