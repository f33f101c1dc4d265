import type { Recipe } from '@atelier/domain';
import { type Dataset, shuffled, stratifiedSplit } from '@atelier/fashion-mnist';
import type { TrainingData } from './training-examples.ts';

/** Fewer could leave a class without an image to train or validate on. */
const SMALLEST_LIMIT = 100;

/** The recipe's split of the training images, or of `limit` of them drawn with the recipe's seed. */
export function trainingData(dataset: Dataset, recipe: Recipe, limit: number | null): TrainingData {
  const { train: examples } = dataset;
  if (limit === null || limit >= examples.count) {
    return { examples, ...stratifiedSplit(examples.labels, recipe.validationShare, recipe.seed) };
  }
  if (limit < SMALLEST_LIMIT) throw new RangeError(`A limit of ${limit} images; expected at least ${SMALLEST_LIMIT}.`);
  const chosen = shuffled(Uint32Array.from(examples.labels.keys()), recipe.seed, 0).subarray(0, limit);
  const split = stratifiedSplit(
    Uint8Array.from(chosen, (index) => examples.labels[index] ?? 0),
    recipe.validationShare,
    recipe.seed,
  );
  const original = (positions: Uint32Array) => positions.map((position) => chosen[position] ?? 0);
  return { examples, train: original(split.train), validation: original(split.validation) };
}
