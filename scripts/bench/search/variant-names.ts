/** What the trials are drawn with; each seed is a search of its own. */
export const SEEDS = [0, 1] as const;

/** All trials to their end, or weak ones stopped early. */
export const KINDS = ['full', 'halving'] as const;
export type Kind = (typeof KINDS)[number];

export function variantName(kind: Kind, seed: number): string {
  return `${kind}-seed-${seed}`;
}

export const VARIANT_NAMES = SEEDS.flatMap((seed) => KINDS.map((kind) => variantName(kind, seed)));
