import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MAXIMUM_PIXEL, PIXELS_PER_IMAGE } from '@atelier/domain';
import { PredictResponse } from '@atelier/inference';
import request from 'supertest';
import { bodyOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { publishTiny, randomImage, tinyClassifier } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { trustOf } from '../support/trust.ts';

/** Of the tiny classifier the outlier score is the mean brightness. */
const trust = trustOf({ confidence: 0.5, outlier: 0.6 });
const { probabilities } = tinyClassifier();

const blank = new Uint8Array(PIXELS_PER_IMAGE);
const white = new Uint8Array(PIXELS_PER_IMAGE).fill(MAXIMUM_PIXEL);
/** Noise on which the classifier is sure, and as bright as noise is. */
const plain =
  Array.from({ length: 20 }, (_, seed) => randomImage(seed)).find((image) => Math.max(...probabilities(image)) > 0.6) ??
  blank;

describe('a service with a version without thresholds and one with them', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    await publishTiny(folder.path, { trust });
    service = await openInference(folder.path);
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });

  describe('whether an answer is to be believed', () => {
    const predict = (query: string, ...images: Uint8Array[]) =>
      request(service.app)
        .post(`/predict${query}`)
        .send({ pixels: images.map((image) => [...image]) });

    test('is said of each image beside its probabilities, which are never hidden', async () => {
      const { predictions } = PredictResponse.parse(await bodyOf(predict('', plain, blank, white)));
      const [sure, unsure, outlier] = predictions;
      assert.deepEqual([sure?.lowConfidence, sure?.abstain], [false, false]);
      assert.deepEqual([unsure?.lowConfidence, unsure?.outlierScore, unsure?.abstain], [true, 0, true]);
      assert.deepEqual([outlier?.outlierScore, outlier?.abstain], [1, true]);
      assert.ok(Math.abs((sure?.outlierScore ?? NaN) - 0.5) < 0.05, 'the mean brightness of noise');
      for (const { probabilities, label } of predictions) {
        assert.equal(probabilities.length, 10);
        assert.equal(probabilities[0]?.label, label);
      }
    });

    test('is not said by a version that has no thresholds', async () => {
      const [prediction] = PredictResponse.parse(await bodyOf(predict('?version=1', white))).predictions;
      for (const field of ['lowConfidence', 'outlierScore', 'abstain']) assert.ok(prediction && !(field in prediction));
    });

    test('does not change how an answer is computed: the same image in another batch has the same score', async () => {
      const [alone] = PredictResponse.parse(await bodyOf(predict('', plain))).predictions;
      const many = PredictResponse.parse(
        await bodyOf(predict('', ...new Array<Uint8Array>(9).fill(plain))),
      ).predictions;
      for (const { outlierScore } of many) {
        assert.ok(Math.abs((outlierScore ?? NaN) - (alone?.outlierScore ?? NaN)) < 1e-6);
      }
    });
  });

  describe('the outlier score over the protocol', () => {
    interface Described {
      outputs: { name: string; datatype: string; shape: number[]; data: number[] }[];
    }
    const model = (version: number, rest = '') => `/v2/models/fashion-mlp/versions/${version}${rest}`;
    const ask = (version: number, outputs?: object[]) =>
      request(service.app)
        .post(model(version, '/infer'))
        .send({
          inputs: [{ name: 'image', datatype: 'UINT8', shape: [2, 28, 28], data: [...blank, ...white] }],
          ...(outputs && { outputs }),
        });

    test('is a third output of a version that gives it, in its metadata and its answers', async () => {
      const metadata = (await request(service.app).get(model(2)).expect(200)).body as Described;
      assert.deepEqual(
        metadata.outputs.map(({ name, shape }) => [name, shape]),
        [
          ['logits', [-1, 10]],
          ['probabilities', [-1, 10]],
          ['outlier_score', [-1]],
        ],
      );
      const { outputs } = (await ask(2).expect(200)).body as Described;
      const score = { name: 'outlier_score', datatype: 'FP32', shape: [2], data: [0, 1] };
      assert.deepEqual(outputs[2], score);
      const alone = (await ask(2, [{ name: 'outlier_score' }]).expect(200)).body as Described;
      assert.deepEqual(alone.outputs, [score]);
      const config = (await request(service.app).get(model(2, '/config')).expect(200)).body as { output: object[] };
      assert.deepEqual(config.output[2], { name: 'outlier_score', data_type: 'TYPE_FP32', dims: [] });
    });

    test('is unknown to a version without it, which answers as before', async () => {
      const metadata = (await request(service.app).get(model(1)).expect(200)).body as Described;
      assert.equal(metadata.outputs.length, 2);
      assert.equal(((await ask(1).expect(200)).body as Described).outputs.length, 2);
      const refused = await ask(1, [{ name: 'outlier_score' }]).expect(400);
      assert.match(
        JSON.stringify(refused.body),
        /no output \\"outlier_score\\"; the model gives logits and probabilities/,
      );
    });

    test('has no classes to ask for', async () => {
      const refused = await ask(2, [{ name: 'outlier_score', parameters: { classification: 1 } }]).expect(400);
      assert.match(JSON.stringify(refused.body), /outlier_score.*has no classes/);
    });
  });
});
