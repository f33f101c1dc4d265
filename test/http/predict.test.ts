import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CLASS_NAMES } from '@atelier/domain';
import { PredictResponse } from '@atelier/inference';
import request from 'supertest';
import { bodyOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { garmentImage, pngOf } from '../support/pictures.ts';
import { publishTiny, randomImage, tinyClassifier } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const expected = tinyClassifier();

describe('POST /predict', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    service = await openInference(folder.path);
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });

  /** Checks that the predictions are those of `images`, by the classifier's own arithmetic. */
  function assertPredictions(body: unknown, images: Uint8Array[]): PredictResponse {
    const response = PredictResponse.parse(body);
    assert.equal(response.predictions.length, images.length);
    response.predictions.forEach(({ label: first, classIndex, probability, probabilities }, index) => {
      const truth = expected.probabilities(images[index] ?? new Uint8Array());
      assert.deepEqual({ label: first, classIndex, probability }, probabilities[0]);
      const listed = probabilities.map(({ probability }) => probability);
      assert.deepEqual(
        listed,
        [...listed].sort((a, b) => b - a),
        'most probable first',
      );
      assert.ok(Math.abs(listed.reduce((sum, value) => sum + value, 0) - 1) < 1e-6, 'they sum to 1');
      for (const { label, classIndex, probability } of probabilities) {
        assert.equal(label, CLASS_NAMES[classIndex]);
        assert.ok(Math.abs(probability - (truth[classIndex] ?? NaN)) < 1e-5, `image ${index}, ${label}`);
      }
    });
    return response;
  }

  test('answers rows of pixels with the model, the device and ten probabilities for each row', async () => {
    const images = [randomImage(1), randomImage(2), garmentImage()];
    const answer = await request(service.app)
      .post('/predict')
      .send({ pixels: images.map((image) => [...image]) })
      .expect(200);
    const { model, device } = assertPredictions(answer.body, images);
    assert.equal(model.name, 'fashion-mlp');
    assert.equal(model.version, 1);
    assert.match(model.digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(device, 'cpu');
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  });

  test('takes files in a form, one or more, in their order', async () => {
    const images = [garmentImage(), garmentImage().reverse()];
    const form = request(service.app).post('/predict');
    for (const image of images) form.attach('image', await pngOf(image), 'a.txt');
    const body = await bodyOf(form);
    assertPredictions(body, images);
  });

  test('takes a file as the body, of whatever image type it is declared', async () => {
    const file = await pngOf(garmentImage());
    for (const type of ['image/png', 'image/jpeg', 'IMAGE/PNG', 'application/octet-stream']) {
      const body = await bodyOf(request(service.app).post('/predict').set('Content-Type', type).send(file));
      assertPredictions(body, [garmentImage()]);
    }
  });

  test('takes base64 files in JSON', async () => {
    const file = (await pngOf(garmentImage())).toString('base64');
    const body = await bodyOf(
      request(service.app)
        .post('/predict')
        .send({ images: [file, file] }),
    );
    assertPredictions(body, [garmentImage(), garmentImage()]);
  });

  test('takes a compressed body', async () => {
    const { gzipSync } = await import('node:zlib');
    const json = JSON.stringify({ pixels: [[...garmentImage()]] });
    const body = await bodyOf(
      request(service.app)
        .post('/predict')
        .set({ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
        .serialize((data: unknown) => data as string)
        .send(gzipSync(json)),
    );
    assertPredictions(body, [garmentImage()]);
  });

  test('lists as many classes as ?top= asks for', async () => {
    for (const top of [1, 3, 10]) {
      const body = await bodyOf(
        request(service.app)
          .post(`/predict?top=${top}`)
          .send({ pixels: [[...garmentImage()]] }),
      );
      const [prediction] = PredictResponse.parse(body).predictions;
      assert.equal(prediction?.probabilities.length, top);
      assert.equal(prediction.label, prediction.probabilities[0]?.label);
    }
  });

  test('answers as many rows as it allows, more than one run of the engine takes', async (t) => {
    const images = Array.from({ length: 300 }, (_, seed) => randomImage(seed));
    const wide = await openInference(folder.path, { maximumImages: 300 });
    t.after(() => wide.close());
    const body = await bodyOf(
      request(wide.app)
        .post('/predict')
        .send({ pixels: images.map((image) => [...image]) }),
    );
    assertPredictions(body, images);
  });

  test('gives each of 64 requests at once its own rows', async () => {
    await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        const images = Array.from({ length: 1 + (index % 3) }, (__, row) => randomImage(1000 * index + row));
        const body = await bodyOf(
          request(service.app)
            .post('/predict')
            .send({ pixels: images.map((image) => [...image]) }),
        );
        assertPredictions(body, images);
      }),
    );
  });

  test('an answer carries the caller’s request id, or a new one where that is not sane', async () => {
    const named = await request(service.app).get('/healthz').set('X-Request-Id', 'order-66').expect(200);
    assert.equal(named.headers['x-request-id'], 'order-66');
    const strange = await request(service.app).get('/healthz').set('X-Request-Id', '<script>').expect(200);
    assert.match(strange.headers['x-request-id'] ?? '', /^[0-9a-f-]{36}$/);
  });

  test('tells nothing of its making, opens itself to no other origin, and lets nobody guess types', async () => {
    const { headers } = await request(service.app).get('/').expect(200);
    const foreign = await request(service.app).get('/').set('Origin', 'http://elsewhere.test').expect(403);
    assert.equal(foreign.headers['access-control-allow-origin'], undefined);
    assert.equal(headers['x-powered-by'], undefined);
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cache-control'], 'no-store');
  });
});

describe('GET /healthz, /readyz, /startupz and /models', () => {
  test('say that the process lives, which version is ready, and what became of each', async (t) => {
    const folder = await temporaryFolder();
    t.after(() => folder.remove());
    await publishTiny(folder.path, { seed: 1 });
    const newest = await publishTiny(folder.path, { seed: 2 });
    const service = await openInference(folder.path, { keepVersions: 1, device: 'cpu' });
    t.after(() => service.close());
    await request(service.app).get('/healthz').expect(200, { status: 'alive' });
    const reference = { name: 'fashion-mlp', version: 2, digest: newest.manifest.digest };
    await request(service.app)
      .get('/readyz')
      .expect(200, { status: 'ready', model: reference, device: { requested: 'cpu', actual: 'cpu', reason: null } });
    const { body } = (await request(service.app).get('/models').expect(200)) as {
      body: { models: { version: number; state: string; reason: string; labels: string[]; accuracy: number }[] };
    };
    assert.deepEqual(
      body.models.map(({ version, state, reason, labels, accuracy }) => [version, state, reason, labels, accuracy]),
      [
        [1, 'UNAVAILABLE', 'not loaded', [], 1],
        [2, 'READY', '', ['stable'], 1],
      ],
    );
  });
});
