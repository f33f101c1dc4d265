import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawnExamples } from './drawn-dataset.ts';
import { randomStream, shuffled, stratifiedSplit } from '@atelier/fashion-mnist';
import fc from 'fast-check';

const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const epoch = fc.nat(1000);
const labelled = fc.uint8Array({ min: 0, max: 9, maxLength: 200, size: 'max' });
const upTo = (count: number) => Uint32Array.from({ length: count }, (_, index) => index);
const ascending = (indices: Iterable<number>) => [...indices].sort((a, b) => a - b);

test('the two sides of a split hold each index once, each side ascending', () => {
  fc.assert(
    fc.property(labelled, fc.double({ min: 0.01, max: 0.99, noNaN: true }), seed, (labels, share, number) => {
      const { train, validation } = stratifiedSplit(labels, share, number);
      assert.deepEqual(ascending([...train, ...validation]), [...upTo(labels.length)]);
      assert.deepEqual([...train], ascending(train));
      assert.deepEqual([...validation], ascending(validation));
    }),
  );
});

test('a split holds out the share of each class to the nearest example, at least one and not all of two or more', () => {
  fc.assert(
    fc.property(labelled, fc.double({ min: 0.01, max: 0.99, noNaN: true }), seed, (labels, share, number) => {
      const { validation } = stratifiedSplit(labels, share, number);
      for (let label = 0; label < 10; label++) {
        const all = labels.filter((value) => value === label).length;
        const heldOut = validation.filter((index) => labels[index] === label).length;
        if (all < 2) assert.equal(heldOut, 0, `class ${label} with ${all}`);
        else {
          assert.ok(heldOut >= 1 && heldOut <= all - 1, `${heldOut} of ${all} in class ${label}`);
          const exact = all * share;
          const isNearest = Math.abs(heldOut - exact) <= 0.5;
          assert.ok(isNearest || heldOut === 1 || heldOut === all - 1, `${heldOut} of ${all}, share ${share}`);
        }
      }
    }),
  );
});

test('a split depends on its seed and on nothing else', () => {
  const { labels } = drawnExamples(200);
  assert.deepEqual(stratifiedSplit(labels, 0.25, 7), stratifiedSplit(labels, 0.25, 7));
  assert.notDeepEqual(stratifiedSplit(labels, 0.25, 7), stratifiedSplit(labels, 0.25, 8));
});

for (const share of [0, 1, -0.1, 1.5, NaN]) {
  test(`a split refuses the share ${share}`, () => {
    assert.throws(() => stratifiedSplit(Uint8Array.of(0, 1), share, 1), {
      name: 'RangeError',
      message: /Validation share/,
    });
  });
}

test('shuffling keeps every index, gives a new array and repeats for the same seed and epoch', () => {
  fc.assert(
    fc.property(fc.nat(100), seed, epoch, (count, number, round) => {
      const indices = upTo(count);
      const order = shuffled(indices, number, round);
      assert.deepEqual(indices, upTo(count));
      assert.notEqual(order, indices);
      assert.deepEqual(ascending(order), [...indices]);
      assert.deepEqual(shuffled(indices, number, round), order);
    }),
  );
});

test('another seed or another epoch shuffles otherwise', () => {
  const indices = upTo(100);
  assert.notDeepEqual(shuffled(indices, 1, 0), shuffled(indices, 2, 0));
  assert.notDeepEqual(shuffled(indices, 1, 0), shuffled(indices, 1, 1));
  assert.notDeepEqual(shuffled(indices, 1, 2), shuffled(indices, 2, 1));
});

test('each of the six orders of three comes up about a sixth of the time', () => {
  const rounds = 6000;
  const counts = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    const order = shuffled(upTo(3), 42, round).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  // The standard deviation of each count is 29; 150 is five of them.
  assert.equal(counts.size, 6);
  for (const [order, count] of counts) assert.ok(Math.abs(count - rounds / 6) < 150, `${order}: ${count}`);
});

test('seeds keep their meaning: what they decide is what they decided in the first release', () => {
  assert.equal(shuffled(upTo(10), 42, 0).join(), '7,1,5,8,9,3,2,0,4,6');
  assert.equal(stratifiedSplit(drawnExamples(60).labels, 0.2, 42).validation.join(), '14,15,16,17,21,22,29,30,48,53');
});

test('streams for different purposes differ under the same seed and epoch', () => {
  assert.notEqual(randomStream('one', 1, 1).next(), randomStream('two', 1, 1).next());
});

for (const [number, round] of [
  [-1, 0],
  [0.5, 0],
  [0, -1],
  [0, NaN],
] as const) {
  test(`shuffling refuses seed ${number} with epoch ${round}`, () => {
    assert.throws(() => shuffled(upTo(3), number, round), { name: 'RangeError', message: /integer of at least 0/ });
  });
}
