import { createHash } from 'node:crypto';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * A generator of its own for each (purpose, seed, epoch), so that one use more never shifts the numbers of another.
 * It is xoroshiro128+; its 128 bits of state are the first of the SHA-256 of the three. `seed` and `epoch` are integers,
 * 0 or more; anything else is a `RangeError`.
 */
export function randomStream(purpose: string, seed: number, epoch: number): RandomGenerator {
  for (const [name, value] of Object.entries({ seed, epoch })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`The ${name} is ${value}; expected an integer of at least 0.`);
    }
  }
  const hash = createHash('sha256').update(`${purpose}/${seed}/${epoch}`).digest();
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => hash.readInt32LE(offset)));
}
