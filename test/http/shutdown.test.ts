import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { readConfig, startInference } from '@atelier/inference';
import { childrenOf } from '../support/children.ts';
import { samplesIn } from '../support/metric-samples.ts';
import { post } from '../support/posted.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { connectTo, headOf } from '../support/raw-request.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const body = { pixels: [[...randomImage(1)]] };
const json = JSON.stringify(body);

/** Those that have come and are not answered, with the one that asks. */
async function requestsIn(url: string): Promise<number | undefined> {
  const response = await fetch(`${url}/metrics`);
  return samplesIn(await response.text())['http_requests_in_progress'];
}

async function start(
  t: TestContext,
  environment: Record<string, string> = {},
  limits?: Parameters<typeof startInference>[2],
) {
  const folder = await temporaryFolder();
  await publishTiny(folder.path);
  const config = readConfig({ INFERENCE_PORT: '0', MODELS_DIR: folder.path, INFERENCE_WORKERS: '1', ...environment });
  const { log, text } = recordedLog();
  const service = await startInference(config, log, limits);
  t.after(async () => {
    const closed = service.close(0);
    await (limits === undefined ? closed : closed.catch(() => undefined)); // the test has seen it
    await folder.remove();
  });
  const readiness = async () => {
    const response = await fetch(`${service.url}/readyz`);
    return { status: response.status, type: ((await response.json()) as { type?: string }).type };
  };
  return { ...service, service, text, readiness };
}

describe('a service that is told to stop', () => {
  test('is unready at once, serves on for the grace period, finishes what is in flight, and accepts nothing more', async (t) => {
    const { service, url, readiness, settled } = await start(t);
    await settled;
    assert.equal((await readiness()).status, 200);
    const connection = await connectTo(url);
    connection.write(headOf('/predict', json.length, { 'Content-Type': 'application/json' }));
    connection.write(json.slice(0, 100)); // in flight: the rest comes when the grace period is over
    const started = performance.now();
    const closed = service.close(400);
    assert.deepEqual(await readiness(), { status: 503, type: '/problems/shutting-down' });
    for (const path of [
      '/v2/health/ready',
      '/v2/models/fashion-mlp/ready',
      '/v2/models/fashion-mlp/versions/1/ready',
    ]) {
      assert.equal((await fetch(`${url}${path}`)).status, 503, path);
    }
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    let served = 0;
    await until('it accepts nothing more', async () => {
      const answer = await post(url, body).catch(() => undefined);
      if (answer === undefined) return true;
      assert.equal(answer.status, 200);
      served++;
      return false;
    });
    assert.ok(served > 0 && performance.now() - started >= 400);
    connection.write(json.slice(100));
    const answer = await connection.ended();
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /\r\nConnection: close\r\n/);
    await closed;
  });

  test('has no grace period for nobody: before a version answers it stops at once', async (t) => {
    const { service, text } = await start(t, { INFERENCE_GRACE_MS: '600000' });
    await service.close();
    await service.close();
    assert.doesNotMatch(text(), /"level":(50|60)/);
  });

  test('cuts off what clients do not end, and breaks off what takes longer than it may: that is no end by itself', async (t) => {
    const collector = createServer(() => undefined).listen(0, '127.0.0.1'); // takes spans, and never answers
    await once(collector, 'listening');
    t.after(() => collector.close().closeAllConnections());
    const { port } = collector.address() as AddressInfo;
    const environment = { INFERENCE_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
    const limits = { wholeMs: 1_000, requestsMs: 300, modelsMs: 300 };
    const { service, url, settled, text } = await start(t, environment, limits);
    await settled;
    const stalled = await connectTo(url);
    stalled.write(headOf('/predict', 1000, { 'Content-Type': 'application/json' }));
    await until('the request', async () => (await requestsIn(url)) === 2);
    assert.equal((await post(url, body)).status, 200);
    await assert.rejects(service.close(0), { message: /broken off: spans\.$/ });
    assert.match(text(), /Cut off what clients had not ended: requests/);
    assert.equal(await stalled.ended(), '');
  });

  test('has one time for all of its end, whatever its parts may take', async (t) => {
    const limits = { wholeMs: 300, requestsMs: 600_000, modelsMs: 600_000 };
    const { service, url, settled } = await start(t, {}, limits);
    await settled;
    const stalled = await connectTo(url);
    t.after(() => stalled.destroy());
    stalled.write(headOf('/predict', 1000, { 'Content-Type': 'application/json' }));
    await until('the request', async () => (await requestsIn(url)) === 2);
    await assert.rejects(service.close(0), { message: /broken off: .*the engines/ });
  });

  test('kills an engine that hangs, and has not ended by itself', async (t) => {
    const limits = { wholeMs: 20_000, requestsMs: 1_000, modelsMs: 300 };
    const before = await childrenOf(process.pid);
    const { service, settled } = await start(t, { INFERENCE_STUCK_MS: '60000' }, limits);
    await settled;
    const [compute = 0] = (await childrenOf(process.pid)).filter((child) => !before.includes(child));
    process.kill(compute, 'SIGSTOP');
    await assert.rejects(service.close(0), { message: /broken off: .*the engines \(/ });
  });

  test('that nobody waits for is gone with all of its connections', async (t) => {
    const { service, url, settled } = await start(t);
    await settled;
    const idle = await connectTo(url);
    await service.close(0);
    assert.equal(await idle.ended(), '');
    await assert.rejects(fetch(`${url}/healthz`));
  });
});
