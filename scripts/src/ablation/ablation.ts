import { Recipe } from '@atelier/domain';
import { z } from 'zod';
import { Machine } from '../measurements/machine.ts';
import { type Spread, spread } from '../measurements/statistics.ts';
import { MeasuredRun } from '../recipe-runs/measured-run.ts';
import { type Variant, VARIANTS } from './variants.ts';

/** The figures of an ablation, as its JSON file has them; the page is made of nothing else. */
export const Ablation = z.strictObject({
  writtenAt: z.iso.datetime(),
  machine: Machine,
  recipe: Recipe.describe('That the variants are made of'),
  epochs: z.int().positive(),
  seeds: z.array(z.int().min(0)).min(1),
  limit: z.int().positive().nullable(),
  runs: z.array(MeasuredRun),
});
export type Ablation = z.infer<typeof Ablation>;

/** What a variant came to after its last epoch; accuracies as a share of 1. */
export interface VariantOutcome {
  variant: Variant;
  train: Spread;
  validation: Spread;
  /** Train less validation: what the network knows of its training images only. */
  gap: Spread;
  /** Loss on the validation images in nats: the least of all epochs, and that after the last. */
  leastLoss: Spread;
  lastLoss: Spread;
}

/** One for each variant that was run, from none of the parts to all. */
export function variantOutcomes({ runs }: Pick<Ablation, 'runs'>): VariantOutcome[] {
  return VARIANTS.flatMap((variant) => {
    const ofVariant = runs.filter(({ row }) => row === variant.name);
    if (ofVariant.length === 0) return [];
    const of = (value: (run: MeasuredRun) => number) => spread(ofVariant.map(value));
    return {
      variant,
      train: of(({ accuracy }) => accuracy.train),
      validation: of(({ accuracy }) => accuracy.validation),
      gap: of(({ accuracy }) => accuracy.train - accuracy.validation),
      leastLoss: of(({ validationLosses }) => Math.min(...validationLosses)),
      lastLoss: of(({ validationLosses }) => validationLosses.at(-1) ?? NaN),
    };
  });
}
