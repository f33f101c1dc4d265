import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createLog, listen, RetryLater } from '@atelier/http';
import { buildApp, InferenceMetrics, type Models, type Predictor, PREPROCESSING, readConfig } from '@atelier/inference';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { NO_EVALUATION, openInference } from '../support/inference-service.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const device = { requested: 'auto', actual: 'cpu', reason: 'No CUDA library was found.' } as const;
const version = { name: 'fashion-mlp', version: 7, directory: '', manifest: { digest: `sha256:${'0'.repeat(64)}` } };
const ready = { version, device, ready: true } as unknown as Predictor;

/** The application with a model that is in this state, without an engine. */
function appWith(state: { predictor?: Predictor; started: boolean }) {
  const models = {
    readyPredictor() {
      if (state.predictor !== undefined) return state.predictor;
      throw new RetryLater('not-ready', 'It is being loaded.');
    },
    statuses: () => [],
  } as unknown as Models;
  const metrics = new InferenceMetrics();
  const images = { decode: () => Promise.reject(new Error('nobody decodes here')), admit: () => undefined };
  const evaluation = NO_EVALUATION;
  const parts = {
    model: models as never,
    images,
    evaluation,
    config: readConfig({}),
    metrics,
    hasStarted: () => state.started,
  };
  return buildApp({ ...parts, log: createLog('test', 'silent') });
}

describe('the probes of the inference service', () => {
  test('say that it lives, has started and is ready one after the other', async () => {
    const state: { predictor?: Predictor; started: boolean } = { started: false };
    const app = appWith(state);
    await request(app).get('/healthz').expect(200, { status: 'alive' });
    await problemOf(request(app).get('/startupz'), 503, 'not-ready');
    await problemOf(request(app).get('/readyz'), 503, 'not-ready');
    state.started = true; // and no version could be loaded
    await request(app).get('/startupz').expect(200, { status: 'started' });
    await problemOf(request(app).get('/readyz'), 503, 'not-ready');
    state.predictor = ready;
    const model = { name: 'fashion-mlp', version: 7, digest: version.manifest.digest };
    await request(app).get('/readyz').expect(200, { status: 'ready', model, device });
    await problemOf(request(app).post('/startupz'), 405, 'method-not-allowed');
  });

  test('leave no memory behind when they are asked 10,000 times', { timeout: 60_000 }, async (t) => {
    const server = await listen(appWith({ predictor: ready, started: true }), '127.0.0.1', 0);
    t.after(() => server.close());
    for (const path of ['/healthz', '/readyz', '/startupz']) await ask(server.url, path, 1_000);
    const before = heapUsed();
    await ask(server.url, '/readyz', 10_000);
    const grown = heapUsed() - before;
    assert.ok(grown < 1_000_000, `${grown} bytes`); // 100 bytes kept of each would be as many
  });
});

test('an answer says in its headers which version, digest, device and preprocessing it comes from', async (t) => {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  const published = await publishTiny(folder.path);
  const service = await openInference(folder.path);
  t.after(() => service.close());
  const { headers } = await request(service.app)
    .post('/predict')
    .send({ pixels: [[...randomImage(1)]] })
    .expect(200);
  assert.equal(headers['x-model-name'], 'fashion-mlp');
  assert.equal(headers['x-model-version'], '1');
  assert.equal(headers['x-model-digest'], published.manifest.digest);
  assert.equal(headers['x-device'], 'cpu');
  assert.equal(headers['x-preprocessing'], PREPROCESSING);
});

/** Sends a request `count` times on one connection, a hundred at a time, and waits for as many answers with 200. */
async function ask(url: string, path: string, count: number): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setEncoding('latin1');
  const hundred = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(100);
  let answered = 0;
  let rest = '';
  socket.write(hundred);
  for await (const text of socket as AsyncIterable<string>) {
    const answers = (rest + text).split('HTTP/1.1 200 OK\r\n');
    rest = answers.at(-1) ?? '';
    answered += answers.length - 1;
    if (answered === count) break;
    if (answers.length > 1 && answered % 100 === 0) socket.write(hundred);
  }
}

/** Bytes that are still reachable. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
