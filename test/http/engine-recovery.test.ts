import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { loadPredictor, type Predictor } from '@atelier/inference';
import { publishVersion } from '@atelier/model-repository';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { publishTiny, randomImage, versionContent } from '../support/published-version.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const fragile = new URL('../support/fragile-engine.mjs', import.meta.url);
/** First pixels that the fragile engine obeys. */
const CRASH = 255;
const NEVER_ANSWER = 254;

const body = (first: number) => ({ pixels: [[...randomImage(1, first)]] });

async function untilReady({ app }: InferenceUnderTest): Promise<void> {
  for (let attempt = 0; (await request(app).get('/readyz')).status !== 200; attempt++) {
    assert.ok(attempt < 100, 'not ready after 100 questions');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('an engine that dies', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  before(async () => {
    folder = await temporaryFolder();
    const { model, manifest } = versionContent();
    manifest.golden.probabilities = manifest.golden.images.map(() => Array<number>(10).fill(0.1));
    await publishVersion(folder.path, 'fashion-mlp', { model, manifest });
    service = await openInference(folder.path, {}, fragile);
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });

  test('fails the requests in flight, is replaced, and meanwhile the service is alive and not ready', async () => {
    await request(service.app).post('/predict').send(body(0)).expect(200);
    const [hanging, crashing] = await Promise.all([
      problemOf(request(service.app).post('/predict').send(body(NEVER_ANSWER)), 500, 'engine-fault'),
      problemOf(request(service.app).post('/predict').send(body(CRASH)), 500, 'engine-fault'),
    ]);
    for (const details of [hanging, crashing]) {
      assert.ok(!JSON.stringify(details).includes('fell over'), 'the cause stays in the log');
    }
    assert.match(service.text(), /fell over on command/);
    await request(service.app).get('/healthz').expect(200);
    const { detail, retryAfter } = await problemOf(request(service.app).get('/readyz'), 503, 'not-ready');
    assert.equal(detail, 'The engine is being restarted.');
    assert.equal(retryAfter, '5');
    await request(service.app).post('/predict').send(body(0)).expect(503);
    await untilReady(service);
    await request(service.app).post('/predict').send(body(0)).expect(200);
  });

  test('is replaced again and again', async () => {
    for (let round = 0; round < 3; round++) {
      await request(service.app).post('/predict').send(body(CRASH)).expect(500);
      await untilReady(service);
      await request(service.app).post('/predict').send(body(0)).expect(200);
    }
  });
});

describe('the real engine', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let predictor: Predictor;
  before(async () => {
    folder = await temporaryFolder();
    predictor = await loadPredictor(await publishTiny(folder.path), recordedLog());
  });
  after(async () => {
    await predictor.close();
    await folder.remove();
  });

  test('computes in a worker: the thread that takes requests never loads the runtime', async () => {
    const { cache } = createRequire(import.meta.url);
    const loaded = () => Object.keys(cache).filter((path) => path.includes('onnxruntime-node'));
    assert.equal((await predictor.predict(randomImage(1))).probabilities.length, 10);
    assert.deepEqual(loaded(), []);
    await import('onnxruntime-node');
    assert.ok(loaded().length > 0, 'and this test would see it');
  });

  test('has the runtime’s telemetry switched off for the whole process', () => {
    assert.equal(process.env['ORT_DISABLE_TELEMETRY'], '1');
  });

  test('leaves the images of a caller as they are', async () => {
    const images = randomImage(1);
    await predictor.predict(images);
    assert.deepEqual(images, randomImage(1));
  });

  test('takes whole images only, and at least one', async () => {
    for (const length of [0, 1, 783, 785]) await assert.rejects(predictor.predict(new Uint8Array(length)), RangeError);
  });

  test('answers what is in flight when it is closed, and nothing after', async () => {
    const inFlight = Array.from({ length: 20 }, (_, seed) => predictor.predict(randomImage(seed)));
    const closed = predictor.close();
    assert.equal(predictor.ready, false);
    await assert.rejects(predictor.predict(randomImage(1)), { code: 'shutting-down' });
    assert.equal((await Promise.all(inFlight)).length, 20);
    await closed;
  });
});

describe('a service that stops', () => {
  test('refuses requests with 503 and says when to come back', async (t) => {
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    await publishTiny(folder.path);
    const service = await openInference(folder.path);
    await service.close();
    await problemOf(request(service.app).get('/readyz'), 503, 'shutting-down');
    await problemOf(request(service.app).post('/predict').send(body(0)), 503, 'shutting-down');
    await request(service.app).get('/healthz').expect(200);
  });
});
