import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { argmax, CLASS_COUNT, CLASS_NAMES } from '@atelier/domain';
import { DriftResponse, MINIMUM_EXAMPLES, readConfig } from '@atelier/inference';
import request from 'supertest';
import { bodyOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { publishTiny, randomImage, tinyClassifier } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { trustOf } from '../support/trust.ts';

const { probabilities } = tinyClassifier();
const EDGES = [0.4, 0.5, 0.6, 0.7];

/** Noise: the tiny classifier answers it in several ways. */
const images = Array.from({ length: 400 }, (_, seed) => randomImage(1000 + seed));
const answers = images.map((image) => {
  const row = probabilities(image);
  const classIndex = argmax(row);
  return { image, classIndex, confidence: row[classIndex] ?? 0 };
});

/** What a trainer would write of these answers. */
function reference() {
  const share = (isCounted: (answer: (typeof answers)[number]) => boolean) =>
    answers.filter(isCounted).length / answers.length;
  const binOf = (confidence: number) => EDGES.filter((edge) => edge <= confidence).length;
  return {
    count: answers.length,
    classShares: CLASS_NAMES.map((_, index) => share(({ classIndex }) => classIndex === index)),
    confidenceEdges: EDGES,
    confidenceShares: Array.from({ length: EDGES.length + 1 }, (_, bin) =>
      share(({ confidence }) => binOf(confidence) === bin),
    ),
  };
}

/** Only what the model names one class of, in the same number. */
const commonest = argmax(reference().classShares);
const shifted = answers.filter(({ classIndex }) => classIndex === commonest).map(({ image }) => image);

describe('GET /drift', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path, { seed: 5 });
    await publishTiny(folder.path, { trust: { ...trustOf({ confidence: 0.5, outlier: 1 }), reference: reference() } });
  });
  after(() => folder.remove());

  /** A service that nobody has asked yet. */
  async function fresh(t: { after: (end: () => Promise<void>) => void }): Promise<InferenceUnderTest> {
    service = await openInference(folder.path);
    t.after(() => service.close());
    return service;
  }
  const drift = async () => {
    const { versions, ...rest } = DriftResponse.parse(await bodyOf(request(service.app).get('/drift')));
    const current = versions.find(({ model }) => model.version === 2);
    assert.ok(current);
    return { current, versions, ...rest };
  };
  async function send(given: readonly Uint8Array[]): Promise<void> {
    for (let start = 0; start < given.length; start += 100) {
      const pixels = given.slice(start, start + 100).map((image) => [...image]);
      await request(service.app).post('/predict').send({ pixels }).expect(200);
    }
  }
  const infer = (given: readonly Uint8Array[], parameters: object) =>
    request(service.app)
      .post('/v2/models/fashion-mlp/infer')
      .send({
        inputs: [
          {
            name: 'image',
            datatype: 'UINT8',
            shape: [given.length, 28, 28],
            data: given.flatMap((image) => [...image]),
          },
        ],
        parameters,
      })
      .expect(200);

  test('says that there are too few answers to judge by, and that a version has nothing to compare with', async (t) => {
    await fresh(t);
    await send(images.slice(0, 10));
    const { current, versions, window, limits } = await drift();
    assert.deepEqual([current.verdict, current.examples], ['too-few-examples', 10]);
    assert.ok(Date.parse(current.since ?? '') <= Date.now());
    assert.equal(versions.find(({ model }) => model.version === 1)?.verdict, 'no-reference');
    assert.deepEqual(window, { answers: 5000, minutes: 1440, minimumExamples: MINIMUM_EXAMPLES });
    assert.deepEqual(limits, { moderate: 0.1, major: 0.25 });
  });

  test('says that nothing has changed where the answers are like those to the validation images', async (t) => {
    await fresh(t);
    await send(images);
    const { current } = await drift();
    assert.equal(current.examples, 400);
    assert.equal(current.verdict, 'stable');
    assert.ok((current.stabilityIndex.classes ?? 1) < 0.01 && (current.stabilityIndex.confidence ?? 1) < 0.01);
    current.classes.forEach(({ share, reference }) => assert.ok(Math.abs(share - reference) < 0.01));
    const low = answers.filter(({ confidence }) => confidence < 0.5).length / answers.length;
    assert.ok(Math.abs((current.abstained ?? NaN) - low) < 0.01, 'as many abstain as have a low confidence');
  });

  test('says that a lot has changed where all answers are of one class', async (t) => {
    await fresh(t);
    while ((await drift()).current.examples < MINIMUM_EXAMPLES) await send(shifted);
    const { current } = await drift();
    assert.equal(current.verdict, 'major');
    assert.ok((current.stabilityIndex.classes ?? 0) > 0.25);
    assert.equal(current.classes[commonest]?.share, 1);
  });

  test('counts answers over the protocol, and not those to bulk requests', async (t) => {
    await fresh(t);
    await infer(images.slice(0, 3), {});
    await infer(images.slice(0, 5), { priority: 2 });
    assert.equal((await drift()).current.examples, 3);
  });

  test('is in the metrics, once there are answers', async (t) => {
    await fresh(t);
    const scrape = async () => (await request(service.app).get('/metrics').expect(200)).text;
    assert.doesNotMatch(await scrape(), /^prediction_drift_index\{/m);
    await send(images);
    const text = await scrape();
    for (const distribution of ['classes', 'confidence']) {
      const name = `prediction_drift_index{model="fashion-mlp",version="2",distribution="${distribution}"} `;
      const line = text.split('\n').find((each) => each.startsWith(name));
      assert.ok(Number(line?.slice(name.length)) < 0.01, line ?? text);
    }
    assert.match(text, /^prediction_drift_examples\{model="fashion-mlp",version="2"\} 400$/m);
    assert.match(text, /^prediction_abstained_share\{model="fashion-mlp",version="2"\} 0\.\d+$/m);
  });

  test('is for those with the scope metrics', async (t) => {
    const keys = ['shop=shop-0123456789abcdef:infer', 'prometheus=prometheus-0123456789abcdef:metrics'];
    const { apiKeys } = readConfig({ INFERENCE_API_KEYS: keys.join(',') });
    service = await openInference(folder.path, { apiKeys });
    t.after(() => service.close());
    const ask = (name: string) =>
      request(service.app).get('/drift').set('Authorization', `Bearer ${name}-0123456789abcdef`);
    await ask('shop').expect(403);
    await ask('prometheus').expect(200);
  });

  test('takes no other method', async (t) => {
    await fresh(t);
    await request(service.app).post('/drift').expect(405);
  });
});

test('the drawn answers are of several classes, or they could not shift', () => {
  assert.ok(new Set(answers.map(({ classIndex }) => classIndex)).size > CLASS_COUNT / 3);
});
