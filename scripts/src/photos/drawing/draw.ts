import { randomStream } from '@atelier/fashion-mnist';

/** What a drawing leaves to chance; the same purpose and number give the same choices. */
export interface Draw {
  /** Uniform from `low` to `high`. */
  between(low: number, high: number): number;
  /** One of at least one. */
  pick<T>(choices: readonly T[]): T;
  chance(probability: number): boolean;
}

export function drawFor(purpose: string, seed: number): Draw {
  const generator = randomStream(purpose, seed, 0);
  const uniform = () => (generator.next() >>> 0) / 2 ** 32;
  return {
    between: (low, high) => low + (high - low) * uniform(),
    pick: <T>(choices: readonly T[]) => choices[Math.floor(uniform() * choices.length)] as T,
    chance: (probability) => uniform() < probability,
  };
}
