import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sliceTraining, trainingBatches, withTargets } from '@atelier/fashion-mnist';
import { drawnExamples } from './drawn-dataset.ts';

const rowOf = (targets: Float32Array, row: number) => [...targets.subarray(row * 10, row * 10 + 10)];

test('without smoothing a target is 1 for the label and 0 for the others', () => {
  const examples = drawnExamples(12);
  const { targets, images, count } = withTargets(examples, 0);
  assert.equal(count, 12);
  assert.equal(images, examples.images, 'images are shared');
  for (let row = 0; row < 12; row++) {
    assert.deepEqual(
      rowOf(targets, row),
      Array.from({ length: 10 }, (_, index) => (index === examples.labels[row] ? 1 : 0)),
    );
  }
});

test('smoothing gives all classes the same share and the label the rest; rows still sum to 1', () => {
  const examples = drawnExamples(12);
  const { targets } = withTargets(examples, 0.2);
  for (let row = 0; row < 12; row++) {
    const values = rowOf(targets, row);
    values.forEach((value, index) => assert.equal(value, Math.fround(index === examples.labels[row] ? 0.82 : 0.02)));
    assert.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) - 1) < 1e-6);
  }
});

for (const smoothing of [-0.1, 1, NaN]) {
  test(`a smoothing of ${smoothing} is refused`, () => {
    assert.throws(() => withTargets(drawnExamples(1), smoothing), { name: 'RangeError', message: /below 1/ });
  });
}

test('batches are consecutive views of images and targets, the last one short', () => {
  const examples = withTargets(drawnExamples(5), 0);
  const parts = [...trainingBatches(examples, 2)];
  assert.deepEqual(
    parts.map(({ count }) => count),
    [2, 2, 1],
  );
  assert.deepEqual(Float32Array.of(...parts.flatMap(({ targets }) => [...targets])), examples.targets);
  assert.deepEqual(Buffer.concat(parts.map(({ images }) => images)), Buffer.from(examples.images));
  examples.images[2 * 784] = 77;
  assert.equal(parts[1]?.images[0], 77);
});

test('slices that do not lie in the examples are refused', () => {
  const examples = withTargets(drawnExamples(3), 0);
  for (const [start, end] of [
    [-1, 2],
    [2, 1],
    [0, 4],
    [0, 1.5],
  ] as const) {
    assert.throws(() => sliceTraining(examples, start, end), { name: 'RangeError', message: /from 0 to 3/ });
  }
});
