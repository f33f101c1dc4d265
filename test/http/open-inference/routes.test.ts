import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { RetryLater } from '@atelier/http';
import {
  buildApp,
  InferenceMetrics,
  type Models,
  type Predictor,
  PredictResponse,
  readConfig,
} from '@atelier/inference';
import type { Express } from 'express';
import request, { type Response, type Test } from 'supertest';
import { eventually } from '../../support/eventually.ts';
import { type InferenceUnderTest, NO_EVALUATION, openInference } from '../../support/inference-service.ts';
import { garmentImage, pngOf } from '../../support/pictures.ts';
import { publishTiny, randomImage, tinyClassifier } from '../../support/published-version.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const INFER = '/v2/models/fashion-mlp/infer';
const LENGTH = 'Inference-Header-Content-Length';
const KEY = 'a-key-for-whoever-may-everything';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let service: InferenceUnderTest;
before(async () => {
  folder = await temporaryFolder();
  await publishTiny(folder.path, { overflow: true });
  service = await openInference(folder.path, {
    maximumBodyBytes: 100_000,
    maximumJsonBytes: 60_000,
    maximumImages: 16,
  });
});
after(async () => {
  await service.close();
  await folder.remove();
});

interface Tensor {
  name: string;
  datatype: string;
  shape: number[];
  data: (number | string)[];
}

function infer(body: object, app: Express = service.app): Test {
  return request(app).post(INFER).send(body);
}

function pixels(...images: Uint8Array[]): object {
  const data = images.flatMap((image) => [...image]);
  return { inputs: [{ name: 'image', datatype: 'UINT8', shape: [images.length, 28, 28], data }] };
}

/** The error of an answer, which has the protocol's form and nothing else in it. */
async function errorOf(answer: Test, status: number): Promise<{ error: string; headers: Record<string, string> }> {
  const response = await answer;
  const body = response.body as Record<string, string>;
  const headers = response.headers as Record<string, string>;
  assert.equal(response.status, status, JSON.stringify(body));
  assert.match(headers['content-type'] ?? '', /^application\/json/);
  assert.deepEqual(Object.keys(body), ['error']);
  assert.ok(headers['x-request-id'] !== undefined);
  return { error: body['error'] ?? '', headers };
}

/** The application around a model that has something else in it. */
function appWith(change: Partial<Models>, keys = ''): Express {
  const model = { ...service.model, ...change };
  const config = readConfig({ MODELS_DIR: folder.path, ...(keys !== '' && { INFERENCE_API_KEYS: keys }) });
  const images = { decode: () => Promise.reject(new Error('unused')), admit: () => undefined };
  const metrics = new InferenceMetrics();
  return buildApp({
    model,
    images,
    evaluation: NO_EVALUATION,
    config,
    metrics,
    hasStarted: () => true,
    log: service.log,
  });
}

/** The same around a predictor that rejects. */
function failingWith(error: Error): Express {
  const predictor = service.model.choose({});
  const failing: Predictor = { ...predictor, version: predictor.version, predict: () => Promise.reject(error) };
  return appWith({ choose: () => failing });
}

describe('inference over the protocol', () => {
  test('gives the probabilities that the model computes, and the logits behind them', async () => {
    const images = [randomImage(1), randomImage(2)];
    const { outputs } = (await infer(pixels(...images)).expect(200)).body as { outputs: Tensor[] };
    const [logits = [], probabilities = []] = ['logits', 'probabilities'].map(
      (name) => outputs.find((output) => output.name === name)?.data.map(Number) ?? [],
    );
    const classifier = tinyClassifier({ overflow: true });
    const expected = images.flatMap((image) => classifier.probabilities(image));
    probabilities.forEach((value, index) => assert.ok(Math.abs(value - (expected[index] ?? NaN)) < 1e-5));
    const exponentials = logits.slice(0, 10).map(Math.exp);
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    exponentials.forEach((value, index) => assert.ok(Math.abs(value / total - (probabilities[index] ?? NaN)) < 1e-5));
  });

  test('takes pictures as BYTES, in base64 or as they are, and decodes them as POST /predict does', async () => {
    const files = [await pngOf(garmentImage()), await pngOf(garmentImage().map((pixel) => pixel >> 1))];
    const predicted = await request(service.app)
      .post('/predict')
      .send({ images: files.map((file) => file.toString('base64')) });
    const expected = PredictResponse.parse(predicted.body).predictions.map(({ label }) => label);
    const outputs = [{ name: 'probabilities', parameters: { classification: 1 } }];
    const tensor = { name: 'image', datatype: 'BYTES', shape: [2] };
    const labels = ({ body }: Response) =>
      (body as { outputs: Tensor[] }).outputs.flatMap(({ data }) => data.map((text) => String(text).split(':')[2]));
    const data = files.map((file) => file.toString('base64'));
    assert.deepEqual(labels(await infer({ inputs: [{ ...tensor, data }], outputs }).expect(200)), expected);
    const raw = Buffer.concat(files.flatMap((file) => [Buffer.from(Uint32Array.of(file.length).buffer), file]));
    const json = JSON.stringify({ inputs: [{ ...tensor, parameters: { binary_data_size: raw.length } }], outputs });
    const body = Buffer.concat([Buffer.from(json), raw]);
    const answer = request(service.app).post(INFER).set(LENGTH, String(json.length)).type('application/octet-stream');
    assert.deepEqual(labels(await answer.send(body).expect(200)), expected);
  });

  test('answers a raw request in JSON where the client accepts that by name', async () => {
    const raw = () => request(service.app).post(INFER).set(LENGTH, '0').type('application/octet-stream');
    const json = await raw()
      .set('Accept', 'application/json')
      .send(Buffer.from(randomImage(1)))
      .expect(200);
    assert.equal(json.headers[LENGTH.toLowerCase()], undefined);
    assert.deepEqual((json.body as { outputs: Tensor[] }).outputs[0]?.shape, [1, 10]);
    const binary = await raw()
      .set('Accept', '*/*')
      .send(Buffer.from(randomImage(1)))
      .expect(200);
    assert.ok(Number(binary.headers[LENGTH.toLowerCase()]) > 0);
  });

  test('compresses what is long, with what the client takes', async () => {
    const many = pixels(...Array.from({ length: 16 }, (_, index) => randomImage(index)));
    const encodingOf = async (body: object, accepted: string) =>
      (await infer(body).set('Accept-Encoding', accepted).expect(200)).headers['content-encoding'];
    assert.equal(await encodingOf(many, 'gzip, deflate'), 'gzip');
    assert.equal(await encodingOf(many, 'gzip;q=0, deflate'), 'deflate');
    assert.equal(await encodingOf(many, '*;q=0.5'), 'gzip');
    assert.equal(await encodingOf(many, 'br'), undefined);
    assert.equal(await encodingOf(pixels(randomImage(1)), 'gzip'), undefined);
  });

  test('does as clients of Triton ask: requests of tritonclient, byte for byte', async () => {
    const { requests } = JSON.parse(readFileSync(new URL('triton-client-requests.json', import.meta.url), 'utf8')) as {
      requests: { title: string; path: string; headers: Record<string, string>; body: string }[];
    };
    assert.equal(requests.length, 6);
    for (const { title, path, headers, body } of requests) {
      const sent = request(service.app).post(path).set(headers).responseType('blob');
      sent.write(Buffer.from(body, 'base64'));
      const answer = await sent.expect(200);
      const length = answer.headers[LENGTH.toLowerCase()];
      const whole = answer.body as Buffer;
      const json = JSON.parse(whole.toString('utf8', 0, length === undefined ? whole.length : Number(length))) as {
        id?: string;
        outputs: { name: string; parameters?: { binary_data_size: number } }[];
      };
      const sizes = json.outputs.map(({ name, parameters }) => `${name} ${parameters?.binary_data_size ?? 'JSON'}`);
      const expected: Record<string, string[]> = {
        'binary in, outputs listed, one as JSON': ['probabilities 40', 'logits JSON'],
        'JSON in, outputs listed as JSON, a version': ['probabilities JSON'],
        'a picture as BYTES, classified': ['probabilities'],
      };
      const wanted = expected[title] ?? ['logits 40', 'probabilities 40'];
      assert.equal(sizes.length, wanted.length, title);
      sizes.forEach((size, index) => assert.ok(size.startsWith(wanted[index] ?? '?'), `${title}: ${size}`));
      assert.equal(json.id, title.includes('one as JSON') ? 'one' : undefined);
    }
  });
});

describe('a refusal over the protocol', () => {
  const refusals: Record<
    string,
    { status: number; body?: object; text?: string; type?: string; headers?: Record<string, string>; says: RegExp }
  > = {
    'a body that is too long': { status: 413, text: '1'.repeat(60_001), says: /exceeds 60000 bytes/ },
    'a binary body that is too long': {
      status: 413,
      text: '1'.repeat(100_001),
      headers: { [LENGTH]: '5' },
      says: /exceeds 100000 bytes/,
    },
    'JSON before binary tensors that is too long': {
      status: 413,
      text: '1'.repeat(70_000),
      headers: { [LENGTH]: '65000' },
      says: /JSON exceeds/,
    },
    'too many images': {
      status: 413,
      body: { inputs: [{ name: 'image', datatype: 'UINT8', shape: [17, 28, 28], data: [] }] },
      says: /17 images came; at most 16/,
    },
    'another kind of content': {
      status: 415,
      text: '<xml/>',
      type: 'application/xml',
      says: /Content-Type "application\/xml"; expected application\/json/,
    },
    'another charset': { status: 415, text: '{}', type: 'application/json; charset=utf-16', says: /expected utf-8/ },
    'FP16 in JSON': {
      status: 400,
      body: { inputs: [{ name: 'image', datatype: 'FP16', shape: [1, 28, 28], data: [0] }] },
      says: /FP16 has no form in JSON/,
    },
    INT64: {
      status: 400,
      body: { inputs: [{ name: 'image', datatype: 'INT64', shape: [1, 28, 28], data: [0] }] },
      says: /UINT8 or FP32.*BYTES/,
    },
    'nesting that is not the shape': {
      status: 400,
      body: { inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 28, 28], data: [[1, 2]] }] },
      says: /inputs\[0\]\.data: nested otherwise than its shape/,
    },
    'a picture that is none': {
      status: 415,
      body: { inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: ['AAAA'] }] },
      says: /element 0: The content is no image/,
    },
    'a picture that is no base64': {
      status: 400,
      body: { inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: ['*'] }] },
      says: /base64/,
    },
    'a picture that is broken': {
      status: 400,
      body: { inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: ['iVBORw0KGgoAAAAA'] }] },
      says: /damaged/,
    },
    'a flag that is none': {
      status: 400,
      body: { ...pixels(randomImage(1)), parameters: { binary_data_output: 1 } },
      says: /true or false/,
    },
    'shared memory for an input': {
      status: 501,
      body: {
        inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, 28, 28], parameters: { shared_memory_region: 'r' } }],
      },
      says: /no shared memory/,
    },
    'shared memory for an output': {
      status: 501,
      body: { ...pixels(randomImage(1)), outputs: [{ name: 'logits', parameters: { shared_memory_region: 'r' } }] },
      says: /no shared memory/,
    },
    'an answer that would come too late': {
      status: 504,
      body: { ...pixels(randomImage(1)), parameters: { timeout: 1 } },
      says: /in the time that it gave/,
    },
    'a result that is no number': { status: 500, body: pixels(randomImage(1, 255)), says: /under the request's id/ },
  };
  for (const [title, { status, body, text, type = 'application/json', headers = {}, says }] of Object.entries(
    refusals,
  )) {
    test(`says what is wrong: ${title}`, async () => {
      const answer = request(service.app)
        .post(INFER)
        .set(headers)
        .type(type)
        .send(text ?? JSON.stringify(body));
      assert.match((await errorOf(answer, status)).error, says);
    });
  }

  test('has its code in the log, which the protocol has no place for', async () => {
    const shared = { name: 'image', datatype: 'UINT8', shape: [1, 28, 28], parameters: { shared_memory_region: 'r' } };
    const { headers } = await errorOf(infer({ inputs: [shared] }), 501);
    const isItsLine = ({ requestId, status }: Record<string, unknown>) =>
      requestId === headers['x-request-id'] && status === 501;
    const line = await eventually('its line', () => service.lines.find(isItsLine) ?? null);
    assert.ok(line.code === 'unsupported-feature');
  });

  test('says when to come back: overloaded, being restarted, stopping', async () => {
    for (const [code, status] of [
      ['overloaded', 429],
      ['not-ready', 503],
      ['shutting-down', 503],
      ['engine-lost', 503],
    ] as const) {
      const app = failingWith(new RetryLater(code, 'Come back.', 7));
      const { error, headers } = await errorOf(infer(pixels(randomImage(1)), app), status);
      assert.deepEqual([error, headers['retry-after']], ['Come back.', '7']);
    }
  });

  test('has the same form where the path cannot be decoded, and not above /v2', async () => {
    await errorOf(request(service.app).get('/v2/models/%ff'), 400);
    const elsewhere = await request(service.app).get('/v3');
    assert.match(elsewhere.headers['content-type'] ?? '', /problem\+json/);
  });
});

describe('the statistics over the protocol', () => {
  test('forget a version that is gone when the next one answers, and keep those that are there', async () => {
    const predictor = service.model.choose({});
    const [status] = service.model.statuses();
    assert.ok(status);
    let known: number[] = [];
    let answering = 0;
    const versionOf = (version: number) => ({ ...predictor.version, version });
    const app = appWith({
      statuses: () => known.map((number) => ({ ...status, version: versionOf(number) })),
      choose: () => ({
        ...{ version: versionOf(answering), device: predictor.device, ready: true },
        predict: (images) => predictor.predict(images),
        explain: (...task) => predictor.explain(...task),
        close: () => Promise.resolve(),
      }),
    });
    for (const [number, present] of [
      [1, [1]],
      [2, [1, 2]],
      [3, [2, 3]],
    ] as const) {
      [answering, known] = [number, [...present]];
      await request(app)
        .post('/v2/models/fashion-mlp/infer')
        .send(pixels(randomImage(1)))
        .expect(200);
    }
    known = [1, 2, 3];
    const stats = await request(app).get('/v2/models/stats').expect(200);
    const { model_stats } = stats.body as { model_stats: { inference_count: number }[] };
    assert.deepEqual(
      model_stats.map(({ inference_count }) => inference_count),
      [0, 1, 1],
    );
  });
});

describe('health over the protocol', () => {
  test('is told so that every known client reads it', async () => {
    const get = async (path: string) => (await request(service.app).get(path).expect(200)).body as unknown;
    assert.deepEqual(await get('/v2/health/live'), { live: true });
    assert.deepEqual(await get('/v2/health/ready'), { live: true, ready: true });
    assert.deepEqual(await get('/v2/models/fashion-mlp/ready'), { name: 'fashion-mlp', ready: true });
  });

  test('is 503 with the reason while the service is not ready; it lives all the same', async () => {
    const stopping = () => {
      throw new RetryLater('shutting-down', 'Stopping.', 3);
    };
    const app = appWith({ readyPredictor: stopping, choose: stopping }, `${KEY}:admin`);
    const ready = await request(app).get('/v2/health/ready').expect(503);
    assert.deepEqual(ready.body, { live: true, ready: false, error: 'Stopping.' });
    assert.equal(ready.headers['retry-after'], '3');
    await request(app).get('/v2/health/live').expect(200);
    const unlocked = appWith({ readyPredictor: stopping, choose: stopping });
    const model = await request(unlocked).get('/v2/models/fashion-mlp/versions/1/ready').expect(503);
    assert.deepEqual(model.body, { name: 'fashion-mlp', ready: false, error: 'Stopping.' });
  });
});

describe('the model repository over the protocol', () => {
  const admin = { Authorization: `Bearer ${KEY}` };
  const load = (app: Express, name: string) => request(app).post(`/v2/repository/models/${name}/load`).set(admin);

  test('loads and unloads for whoever may', async () => {
    const asked: unknown[] = [];
    const app = appWith(
      {
        load: (...names) => Promise.resolve(void asked.push(['load', ...names])),
        unload: (...names) => Promise.resolve(void asked.push(['unload', ...names])),
      },
      `${KEY}:admin`,
    );
    assert.deepEqual((await load(app, 'other').expect(200)).body, { name: 'other', load: true });
    const unload = request(app).post('/v2/repository/models/other/unload').set(admin);
    assert.deepEqual((await unload.send({ parameters: { unload_dependents: true } }).expect(200)).body, {
      name: 'other',
      unload: true,
    });
    assert.deepEqual(asked, [
      ['load', 'other'],
      ['unload', 'other'],
    ]);
    await errorOf(request(app).post('/v2/repository/models/other/load'), 401);
    await errorOf(load(service.app, 'other'), 403);
  });

  test('takes no model that comes with the request, and no path for a name', async () => {
    const loads = () => Promise.reject(new Error('never asked'));
    const app = appWith({ load: loads }, `${KEY}:admin`);
    for (const key of ['config', 'file:1/model.onnx']) {
      const { error } = await errorOf(load(app, 'other').send({ parameters: { [key]: 'x' } }), 501);
      assert.match(error, /loaded as it was published/);
    }
    for (const name of ['..', '%2e%2e', '..%2f..%2fetc', '%20', 'A', 'x'.repeat(65)])
      await errorOf(load(app, name), 404);
    await errorOf(load(app, 'other').send('[]').type('json'), 400);
  });

  test('says why a version cannot be loaded', async () => {
    const fault = new DomainError('version-refused', 'digest-mismatch: model.onnx is not the file of its manifest.');
    const app = appWith({ load: () => Promise.reject(fault) }, `${KEY}:admin`);
    const { error } = await errorOf(load(app, 'other'), 409);
    assert.match(error, /digest-mismatch: model\.onnx is not/);
  });
});
