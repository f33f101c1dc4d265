import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { belongsTo, compareOutputs, type ModelSource, placeOf } from '@atelier/inference';
import { changeLabels } from '@atelier/model-repository';
import { type FakePredictor, type FakeService, serveFakes, writeVersion } from '../../support/fake-versions.ts';
import { randomImage } from '../../support/published-version.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';

const NAME = 'fashion-mlp';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** Version 1 is stable, version 2 the canary. */
async function withCanary(change: Partial<ModelSource>): Promise<FakeService & { canary: FakePredictor }> {
  for (const number of [1, 2]) await writeVersion(folder.path, number);
  await changeLabels(folder.path, NAME, { stable: 1, canary: 2 });
  const service = serveFakes(folder.path, change);
  await service.models.start();
  await service.models.refresh();
  const canary = service.predictors.get('fashion-mlp/2');
  assert.ok(canary);
  return { ...service, canary };
}

describe('the place of a request id', () => {
  const forms: Record<string, (index: number) => string> = {
    'random UUIDs': () => randomUUID(),
    'numbers that count up': String,
    'a prefix with a number': (index) => `request-${index}`,
    'trace ids that differ in their last digits': (index) =>
      `4bf92f3577b34da6a3ce929d${index.toString(16).padStart(8, '0')}`,
  };
  for (const [form, idOf] of Object.entries(forms)) {
    test(`is even over ${form}`, () => {
      const counts = Array<number>(20).fill(0);
      for (let index = 0; index < 20_000; index++) counts[Math.floor(placeOf(idOf(index)) * 20)]! += 1;
      // 1,000 each; five standard deviations of a binomial are 154.
      for (const count of counts) assert.ok(Math.abs(count - 1000) < 154, counts.join(' '));
    });
  }

  test('is always the same, and who belongs to a share belongs to every larger one', () => {
    for (let index = 0; index < 1000; index++) {
      const id = randomUUID();
      assert.equal(placeOf(id), placeOf(id));
      const belongs = [0, 0.5, 5, 50, 99.9, 100].map((percent) => belongsTo(percent, id));
      assert.deepEqual([belongs[0], belongs.at(-1)], [false, true]);
      assert.deepEqual(belongs, [...belongs].sort(), 'no false after a true');
    }
    assert.equal(belongsTo(100, undefined), false);
  });
});

describe('the canary', () => {
  test('answers its share of the requests, each id always alike, and no request that chooses for itself', async () => {
    const { models } = await withCanary({ canaryPercent: 12.5 });
    const answering = (requestId: string) => models.choose({ requestId }).version.version;
    let canaries = 0;
    for (let index = 0; index < 4000; index++) {
      const id = `order-${index}`;
      const version = answering(id);
      assert.equal(answering(id), version);
      canaries += version === 2 ? 1 : 0;
      assert.equal(models.choose({ requestId: id, label: 'stable' }).version.version, 1);
      assert.equal(models.choose({ requestId: id, version: 1 }).version.version, 1);
    }
    // 500; five standard deviations are 105.
    assert.ok(Math.abs(canaries - 500) < 105, `${canaries} of 4000`);
    assert.equal(models.choose({ label: 'canary' }).version.version, 2);
  });

  test('answers nobody without a share, and a share of 100 is everybody with an id', async () => {
    const none = await withCanary({ canaryPercent: 0 });
    const all = await withCanary({ canaryPercent: 100 });
    for (let index = 0; index < 100; index++) {
      assert.equal(none.models.choose({ requestId: `${index}` }).version.version, 1);
      assert.equal(all.models.choose({ requestId: `${index}` }).version.version, 2);
    }
    assert.equal(all.models.choose({}).version.version, 1);
  });

  test('fails no request of its share while its engine is being restarted', async () => {
    const { models, canary } = await withCanary({ canaryPercent: 100 });
    canary.ready = false;
    assert.equal(models.choose({ requestId: 'a' }).version.version, 1);
    assert.throws(() => models.choose({ label: 'canary' }), { code: 'not-ready' });
  });
});

describe('a shadow', () => {
  const images = randomImage(1);

  test('is computed behind the requests of people, after their answer, and what differs is told', async () => {
    const { models, canary, told } = await withCanary({ shadowPercent: 100 });
    canary.found = 3;
    const answer = models.choose({}).predict(images);
    assert.equal(canary.asked.length, 0);
    assert.equal((await answer).probabilities[0], 1, 'the answer is the stable one');
    await until('a comparison', () => told.comparisons.length > 0);
    assert.deepEqual(told.comparisons, [{ images: 1, disagrees: 1, largestDifference: 1 }]);
    assert.equal(canary.asked[0]?.priority, 'copy');
    assert.ok(canary.asked[0]?.deadline !== undefined, 'and not for ever');
  });

  test('that would wait is dropped, and delays nobody', async () => {
    const { models, canary, told } = await withCanary({ shadowPercent: 100 });
    let open: (() => void) | undefined;
    canary.gate = new Promise<void>((resolve) => (open = resolve));
    for (let request = 0; request < 10; request++) await models.choose({}).predict(images);
    assert.equal(told.dropped, 9);
    open?.();
    await until('the first one', () => told.comparisons.length === 1);
    canary.failure = new DomainError('deadline-exceeded', 'It waited.');
    await models.choose({}).predict(images);
    await until('one more', () => told.dropped === 10);
    assert.equal(canary.asked.length, 2);
  });

  test('that fails fails nobody, and is told', async () => {
    const { models, canary, told } = await withCanary({ shadowPercent: 100 });
    for (const [failure, code] of [
      [new DomainError('engine-fault', 'No numbers.'), 'engine-fault'],
      [new TypeError('a fault of ours'), 'internal'],
    ] as const) {
      canary.failure = failure;
      await models.choose({}).predict(images);
      await until('a failure', () => told.failed.at(-1) === code);
    }
    assert.deepEqual(told.comparisons, []);
  });

  test('is of what the stable version answers, and of its share alone', async () => {
    const none = await withCanary({ shadowPercent: 0 });
    await none.models.choose({}).predict(images);
    const all = await withCanary({ shadowPercent: 100, canaryPercent: 100 });
    await all.models.choose({ requestId: 'a' }).predict(images);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(none.canary.asked.length, 0);
    assert.equal(all.canary.asked.length, 1, 'the answer alone');
  });
});

describe('a comparison', () => {
  test('counts the images with another class, and has the largest difference of a probability', () => {
    const row = (first: number, second: number) => [first, second, ...Array<number>(8).fill(0)];
    const stable = Float32Array.from([...row(0.75, 0.25), ...row(0.75, 0.25), ...row(1, 0)]);
    const canary = Float32Array.from([...row(0.75, 0.25), ...row(0.25, 0.75), ...row(0.875, 0.125)]);
    assert.deepEqual(compareOutputs(stable, canary), { images: 3, disagrees: 1, largestDifference: 0.5 });
    assert.deepEqual(compareOutputs(stable, stable), { images: 3, disagrees: 0, largestDifference: 0 });
  });
});
