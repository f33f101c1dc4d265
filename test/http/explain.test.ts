import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PIXELS_PER_IMAGE } from '@atelier/domain';
import { PredictResponse } from '@atelier/inference';
import request, { type Test } from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { samplesOf } from '../support/metric-samples.ts';
import { garmentImage, pngOf } from '../support/pictures.ts';
import { publishTiny, randomImage } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

/** Of the versions in git. */
const MODELS = fileURLToPath(new URL('../../models', import.meta.url));

const body = (...images: Uint8Array[]) => ({ pixels: images.map((image) => [...image]) });

describe('POST /predict?explain=', () => {
  let service: InferenceUnderTest;
  before(async () => (service = await openInference(MODELS, { keepVersions: 1, workers: 1, device: 'cpu' })));
  after(() => service.close());

  const predict = (query: string) => request(service.app).post(`/predict${query}`);

  /** The explanations of an answer, each of which is whole and of the class that was predicted. */
  async function explanationsOf(answer: Test) {
    const { predictions } = PredictResponse.parse(await bodyOf(answer));
    return predictions.map(({ explanation, classIndex, label }) => {
      assert.ok(explanation);
      assert.deepEqual([explanation.classIndex, explanation.label], [classIndex, label]);
      assert.ok(explanation.map.some((value) => value > 0));
      const png = Buffer.from(explanation.overlay.slice('data:image/png;base64,'.length), 'base64');
      assert.deepEqual([png.subarray(1, 4).toString(), png.readUInt32BE(16), png.readUInt32BE(20)], ['PNG', 112, 112]);
      return explanation;
    });
  }

  for (const method of ['gradient', 'occlusion'] as const) {
    test(`${method} says the same of an image as pixels, in base64, in a form and as the body`, async () => {
      const image = garmentImage();
      const file = await pngOf(image);
      const query = `?explain=${method}`;
      const base64 = file.toString('base64');
      const [pixels, ...others] = await Promise.all([
        explanationsOf(predict(query).send(body(image))),
        explanationsOf(predict(query).send({ images: [base64] })),
        explanationsOf(predict(query).attach('image', file, 'a.png')),
        explanationsOf(predict(query).set('Content-Type', 'image/png').send(file)),
      ]);
      assert.equal(pixels[0]?.method, method);
      for (const other of others) assert.deepEqual(other, pixels);
    });

    test(`${method} explains as many images as are allowed, each with its own map`, async () => {
      const images = Array.from({ length: 8 }, (_, seed) => randomImage(seed));
      const explanations = await explanationsOf(predict(`?explain=${method}`).send(body(...images)));
      assert.equal(new Set(explanations.map(({ map }) => map.join())).size, 8);
    });
  }

  test('gradient has the derivative as well, of which the map is the product with the pixels', async () => {
    const image = randomImage(5);
    const [explanation] = await explanationsOf(predict('?explain=gradient').send(body(image)));
    const { gradient = [], map } = explanation ?? {};
    for (const [place, slope] of gradient.entries()) {
      assert.ok(Math.abs(slope * (image[place] ?? 0) - (map?.[place] ?? NaN)) < 1e-6); // both written with seven digits
    }
    const [other] = await explanationsOf(predict('?explain=occlusion').send(body(image)));
    assert.equal(other?.gradient, undefined);
  });

  test('nothing is explained where nobody asks', async () => {
    const { predictions } = PredictResponse.parse(await bodyOf(predict('').send(body(garmentImage()))));
    assert.equal(predictions[0]?.explanation, undefined);
  });

  test('another method is refused by name', async () => {
    const { errors } = await problemOf(predict('?explain=guess').send(body(garmentImage())), 422, 'invalid-request');
    assert.equal(errors?.[0]?.parameter, 'explain');
    assert.match(errors[0]?.detail ?? '', /gradient.*occlusion/);
  });

  test('more images than are explained are refused, and both numbers said', async () => {
    const images = Array.from({ length: 9 }, (_, seed) => randomImage(seed));
    const answer = predict('?explain=gradient').send(body(...images));
    const { detail } = await problemOf(answer, 413, 'too-many-images');
    assert.match(detail ?? '', /9 images came; at most 8 of a request are explained/);
  });

  test('an image without a garment rests on nothing', async () => {
    for (const method of ['gradient', 'occlusion']) {
      const answer = predict(`?explain=${method}`).send(body(new Uint8Array(PIXELS_PER_IMAGE)));
      const [prediction] = PredictResponse.parse(await bodyOf(answer)).predictions;
      assert.ok(prediction?.explanation?.map.every((value) => value === 0));
    }
  });

  test('an explained image counts as one prediction in one batch', async () => {
    const of = (samples: Record<string, number | undefined>, name: string) =>
      Object.entries(samples).reduce((sum, [key, value]) => sum + (key.startsWith(`${name}{`) ? (value ?? 0) : 0), 0);
    const counted = ['nv_inference_request_success', 'nv_inference_count', 'nv_inference_exec_count'];
    const first = await samplesOf(service.metrics.registry);
    for (const method of ['gradient', 'occlusion']) {
      await explanationsOf(predict(`?explain=${method}`).send(body(garmentImage())));
    }
    const then = await samplesOf(service.metrics.registry);
    for (const name of counted) assert.equal(of(then, name) - of(first, name), 2, name);
  });
});

describe('the gradients of a version', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  /** How many models the compute process has, by what is said when it was killed and runs again. */
  async function modelsAfterRestart(service: InferenceUnderTest): Promise<unknown> {
    const runs = () => service.lines.filter(({ msg }) => msg === 'The compute process runs again');
    const before = runs().length;
    process.kill(service.engine.pid() ?? 0, 'SIGKILL');
    await until('it runs again', () => runs().length > before);
    return runs().at(-1)?.['models'];
  }

  test('are loaded when they are asked for, come back with the version when the compute process dies, and go with it', async (t) => {
    const root = `${folder.path}/lives`;
    await publishTiny(root, { seed: 1 });
    const service = await openInference(root, { workers: 1, device: 'cpu' });
    t.after(() => service.close());
    const explain = () =>
      request(service.app)
        .post('/predict?explain=gradient')
        .send(body(randomImage(1)));
    assert.equal(await modelsAfterRestart(service), 1, 'the version alone');
    const first = await bodyOf(explain());
    assert.equal(await modelsAfterRestart(service), 2, 'the version and its gradients');
    assert.deepEqual(await bodyOf(explain()), first);
    await service.model.unload('fashion-mlp');
    assert.equal(await modelsAfterRestart(service), 0);
  });

  test('that cannot be had are said so, and its predictions and occlusions go on', async (t) => {
    const root = `${folder.path}/steps`;
    await publishTiny(root, { beyondWebgpu: true });
    const service = await openInference(root, { workers: 1, device: 'cpu' });
    t.after(() => service.close());
    const explain = (method: string) =>
      request(service.app)
        .post(`/predict?explain=${method}`)
        .send(body(randomImage(1)));
    const { detail } = await problemOf(explain('gradient'), 409, 'not-differentiable');
    assert.match(detail ?? '', /Hardmax/);
    await bodyOf(explain('occlusion'));
    await bodyOf(
      request(service.app)
        .post('/predict')
        .send(body(randomImage(1))),
    );
  });
});
