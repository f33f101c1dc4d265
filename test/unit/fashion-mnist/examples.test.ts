import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batches, select, slice } from '@atelier/fashion-mnist';
import fc from 'fast-check';
import { drawnExamples } from './drawn-dataset.ts';

const PIXELS = 28 * 28;

test('select gathers the chosen examples in the order of the indices, repetitions included', () => {
  const examples = drawnExamples(5);
  const chosen = select(examples, Uint32Array.of(4, 0, 4));
  assert.equal(chosen.count, 3);
  assert.deepEqual(chosen.labels, Uint8Array.of(4, 0, 4));
  const image = (index: number) => examples.images.slice(index * PIXELS, (index + 1) * PIXELS);
  assert.deepEqual(chosen.images, Uint8Array.of(...image(4), ...image(0), ...image(4)));
});

test('select copies: a write to the result leaves the examples alone', () => {
  const examples = drawnExamples(2);
  select(examples, Uint32Array.of(0, 1)).images.fill(1);
  assert.deepEqual(examples, drawnExamples(2));
});

test('select refuses an index of no example', () => {
  assert.throws(() => select(drawnExamples(5), Uint32Array.of(1, 5)), {
    name: 'RangeError',
    message: 'Index 5; expected one of 5 examples.',
  });
});

test('slice gives views: a write to the examples is seen in the slice', () => {
  const examples = drawnExamples(5);
  const middle = slice(examples, 1, 3);
  assert.equal(middle.count, 2);
  assert.deepEqual(middle.labels, Uint8Array.of(1, 2));
  examples.images[PIXELS] = 77;
  assert.equal(middle.images[0], 77);
  assert.equal(middle.images.length, 2 * PIXELS);
});

for (const [start, end] of [
  [-1, 2],
  [3, 2],
  [0, 6],
  [0.5, 2],
  [0, NaN],
] as const) {
  test(`slice refuses ${start} to ${end} of 5 examples`, () => {
    assert.throws(() => slice(drawnExamples(5), start, end), { name: 'RangeError', message: /integers .* 0 to 5/ });
  });
}

test('batches one after the other are the examples, and only the last may be short', () => {
  fc.assert(
    fc.property(fc.nat(12), fc.integer({ min: 1, max: 15 }), (count, batchSize) => {
      const examples = drawnExamples(count);
      const all = [...batches(examples, batchSize)];
      const sizes = all.map((batch) => batch.count);
      assert.ok(sizes.slice(0, -1).every((size) => size === batchSize));
      assert.ok(sizes.every((size) => size >= 1 && size <= batchSize));
      assert.deepEqual(Uint8Array.from(all.flatMap(({ labels }) => [...labels])), examples.labels);
      assert.deepEqual(Buffer.concat(all.map(({ images }) => images)), Buffer.from(examples.images));
    }),
  );
});

test('batches are views of the examples', () => {
  const examples = drawnExamples(3);
  for (const batch of batches(examples, 2)) assert.equal(batch.images.buffer, examples.images.buffer);
});

for (const batchSize of [0, -1, 1.5, NaN]) {
  test(`batches refuse the size ${batchSize}`, () => {
    assert.throws(() => [...batches(drawnExamples(3), batchSize)], { name: 'RangeError', message: /at least 1/ });
  });
}
