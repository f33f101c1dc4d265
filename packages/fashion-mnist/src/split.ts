import { randomStream } from './random-stream.ts';
import { shuffleInPlace } from './shuffle.ts';

/** Indices into the labels that were split, ascending; together they are each index once. */
export interface Split {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

/**
 * Holds out `validationShare` of each class, rounded to whole examples, and at least one on either side of a class that
 * has two; a class with a single example stays in training. `seed` decides which.
 * A share that is not between 0 and 1, both excluded, is a `RangeError`.
 */
export function stratifiedSplit(labels: Uint8Array, validationShare: number, seed: number): Split {
  if (!(validationShare > 0 && validationShare < 1)) {
    throw new RangeError(`Validation share ${validationShare}; expected a number above 0 and below 1.`);
  }
  const generator = randomStream('split', seed, 0);
  const indices = Uint32Array.from(labels.keys());
  const isHeldOut = new Uint8Array(labels.length);
  for (const label of new Set(labels.toSorted())) {
    const members = indices.filter((index) => labels[index] === label);
    shuffleInPlace(members, generator);
    for (const index of members.subarray(0, countHeldOut(members.length, validationShare))) isHeldOut[index] = 1;
  }
  return {
    train: indices.filter((index) => isHeldOut[index] === 0),
    validation: indices.filter((index) => isHeldOut[index] === 1),
  };
}

function countHeldOut(count: number, validationShare: number): number {
  if (count < 2) return 0;
  return Math.min(count - 1, Math.max(1, Math.round(count * validationShare)));
}
