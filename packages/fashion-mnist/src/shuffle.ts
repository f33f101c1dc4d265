import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { randomStream } from './random-stream.ts';

/** `indices` in an order that (seed, epoch) decide, integers of at least 0; a new array, the input is not changed. */
export function shuffled(indices: Uint32Array, seed: number, epoch: number): Uint32Array {
  const copy = indices.slice();
  shuffleInPlace(copy, randomStream('shuffle', seed, epoch));
  return copy;
}

/** Fisher and Yates' shuffle: every order is equally probable. */
export function shuffleInPlace(indices: Uint32Array, generator: RandomGenerator): void {
  for (let last = indices.length - 1; last > 0; last--) {
    const chosen = uniformInt(generator, 0, last);
    const value = indices[last] ?? 0;
    indices[last] = indices[chosen] ?? 0;
    indices[chosen] = value;
  }
}
