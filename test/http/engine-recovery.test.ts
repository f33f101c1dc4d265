import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { type Engine, type Predictor, readConfig, startConfiguredEngine } from '@atelier/inference';
import request from 'supertest';
import { problemOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import {
  commandBody,
  commandFile,
  type FragileInference,
  type FragileCommand,
  openFragile,
} from '../support/fragile-compute.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

async function untilReady({ app }: InferenceUnderTest): Promise<void> {
  for (let attempt = 0; (await request(app).get('/readyz')).status !== 200; attempt++) {
    assert.ok(attempt < 100, 'not ready after 100 questions');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a version that is released while its engines are replaced holds nobody up', async (t) => {
  const folder = await temporaryFolder();
  const version = await publishTiny(folder.path);
  const { log, text } = recordedLog();
  const engine = await startConfiguredEngine(readConfig({ DEVICE: 'cpu', INFERENCE_WORKERS: '2' }), log);
  t.after(async () => {
    await engine.close();
    await folder.remove();
  });
  const [goes, stays] = [await engine.load(version), await engine.load(version)];
  const before = engine.pid() ?? 0;
  process.kill(before, 'SIGKILL');
  while (engine.pid() === before || engine.pid() === undefined) await new Promise(setImmediate);
  const successor = engine.pid();
  await goes.close();
  await until('the other answers', () => stays.ready);
  assert.equal((await stays.predict(randomImage(1))).logits.length, 10);
  assert.equal(engine.pid(), successor, text());
});

describe('a compute process that dies', () => {
  let service: FragileInference;
  before(async () => {
    service = await openFragile({ stuckMs: 300 });
  });
  after(() => service.close());

  test('fails the requests in flight with 503, is replaced, and meanwhile the service is alive', async () => {
    await request(service.app).post('/predict').send(commandBody('well')).expect(200);
    const [hanging, crashing] = await Promise.all([
      problemOf(request(service.app).post('/predict').send(commandBody('never')), 503, 'engine-lost'),
      problemOf(request(service.app).post('/predict').send(commandBody('crash')), 503, 'engine-lost'),
    ]);
    assert.equal(crashing.retryAfter, '1');
    assert.equal(hanging.retryAfter, '1');
    assert.match(service.text(), /It ended by exit code 7/);
    await request(service.app).get('/healthz').expect(200);
    await untilReady(service);
    await request(service.app).post('/predict').send(commandBody('well')).expect(200);
  });

  test('is replaced again and again', async () => {
    for (let round = 0; round < 3; round++) {
      await request(service.app).post('/predict').send(commandBody('crash')).expect(503);
      await untilReady(service);
      await request(service.app).post('/predict').send(commandBody('well')).expect(200);
    }
  });

  test('is killed and replaced when it hangs, and its request is answered 503', async () => {
    const before = service.engine.pid();
    await problemOf(request(service.app).post('/predict').send(commandBody('never')), 503, 'engine-lost');
    await untilReady(service);
    assert.notEqual(service.engine.pid(), before);
    await request(service.app).post('/predict').send(commandBody('well')).expect(200);
  });

  test('that talks nonsense loses its life, and the service lives', async () => {
    for (const command of ['noJson', 'huge'] as const) {
      const before = service.engine.pid();
      await problemOf(request(service.app).post('/predict').send(commandBody(command)), 503, 'engine-lost');
      await untilReady(service);
      assert.notEqual(service.engine.pid(), before);
      await request(service.app).post('/predict').send(commandBody('well')).expect(200);
    }
  });

  test('that gives no answer to the question is told so to whoever asked it, and goes on', async () => {
    const before = service.engine.pid();
    const faults: FragileCommand[] = ['noNumbers', 'tooFew', 'strangeCode'];
    for (const command of faults) {
      await problemOf(request(service.app).post('/predict').send(commandBody(command)), 500, 'engine-fault');
    }
    const picture = request(service.app).post('/predict').set('Content-Type', 'image/png').send(commandFile('tooFew'));
    await problemOf(picture, 500, 'engine-fault');
    await request(service.app).post('/predict').send(commandBody('twice')).expect(200);
    assert.equal(service.engine.pid(), before);
  });

  test('that hangs over a picture does not hold up the pixels of others', async () => {
    const controller = new AbortController();
    const hanging = fetch(`${service.url}/predict`, {
      ...{ method: 'POST', headers: { 'Content-Type': 'image/png' }, body: commandFile('never') },
      signal: controller.signal,
    });
    await request(service.app).post('/predict').send(commandBody('well')).expect(200);
    controller.abort();
    await assert.rejects(hanging, { name: 'AbortError' });
  });
});

describe('a compute process with one engine', () => {
  test('that loads a model for longer than a batch may take is not taken for one that hangs', async (t) => {
    process.env['FRAGILE_LOAD_MS'] = '700';
    t.after(() => delete process.env['FRAGILE_LOAD_MS']);
    const service = await openFragile({ stuckMs: 300, workers: 1 });
    t.after(() => service.close());
    const before = service.engine.pid();
    await service.publish();
    const refreshed = service.model.refresh();
    let isOver = false;
    void refreshed.then(() => (isOver = true));
    while (!isOver) await request(service.app).post('/predict').send(commandBody('well')).expect(200);
    assert.equal(service.model.served()?.version, 2);
    assert.equal(service.engine.pid(), before);
  });
});

describe('the real engine', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let engine: Engine;
  let predictor: Predictor;
  before(async () => {
    folder = await temporaryFolder();
    engine = await startConfiguredEngine(readConfig({ INFERENCE_WORKERS: '2' }), recordedLog().log);
    predictor = await engine.load(await publishTiny(folder.path));
  });
  after(async () => {
    await engine.close();
    await folder.remove();
  });

  test('computes in a process of its own: this one never loads the runtime', async () => {
    const { cache } = createRequire(import.meta.url);
    const loaded = () => Object.keys(cache).filter((path) => path.includes('onnxruntime-node'));
    assert.equal((await predictor.predict(randomImage(1))).probabilities.length, 10);
    assert.deepEqual(loaded(), []);
    await import('onnxruntime-node');
    assert.ok(loaded().length > 0, 'and this test would see it');
  });

  test('has the runtime’s telemetry switched off in the environment that it starts with', async (t) => {
    if (process.platform !== 'linux') t.skip('/proc is Linux’s');
    const environment = await readFile(`/proc/${engine.pid()}/environ`, 'latin1');
    assert.ok(environment.split('\0').includes('ORT_DISABLE_TELEMETRY=1'));
  });

  test('is replaced within two seconds when it is killed, and answers as before', async () => {
    const before = await predictor.predict(randomImage(1));
    process.kill(engine.pid() ?? 0, 'SIGKILL');
    const killedAt = performance.now();
    await until('it is seen to be dead', () => !predictor.ready);
    await assert.rejects(predictor.predict(randomImage(1)), { code: 'not-ready' });
    await until('it is replaced', () => predictor.ready);
    assert.deepEqual(await predictor.predict(randomImage(1)), before);
    assert.ok(performance.now() - killedAt < 20_000, 'generous, since machines are busy; benchmarks have the figure');
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
    await problemOf(request(service.app).post('/predict').send(commandBody('well')), 503, 'shutting-down');
    await request(service.app).get('/healthz').expect(200);
  });
});
