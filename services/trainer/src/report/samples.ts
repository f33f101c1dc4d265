import { CLASS_COUNT, className, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Dataset, shuffled } from '@atelier/fashion-mnist';
import type { BegunRun } from '../runs/run.ts';
import { trainingData } from '../training-data.ts';
import { trainingExamples } from '../training-examples.ts';

const SAMPLES = 40;
/** Label smoothing gives every class a little; what is mixed in has more. */
const SMALLEST_SHARE = 0.15;

/** An image as a network is given it. */
export interface TrainingSample {
  /** [28, 28] */
  pixels: Uint8Array;
  /** What it counts as, the largest share first; more than one class where images were mixed. */
  classes: readonly { name: string; share: number }[];
}

/** Images of the run's training split after the recipe's augmentation, as the first epoch would make them of these alone. */
export function trainingSamples(dataset: Dataset, { recipe, data: { limit } }: BegunRun): TrainingSample[] {
  const data = trainingData(dataset, recipe, limit);
  const chosen = shuffled(data.train, recipe.seed, 1).subarray(0, SAMPLES);
  const { count, images, targets } = trainingExamples({ ...data, train: chosen }, recipe, 1);
  return Array.from({ length: count }, (_, row) => ({
    pixels: images.slice(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE),
    classes: Array.from({ length: CLASS_COUNT }, (_, label) => ({
      name: className(label),
      share: targets[row * CLASS_COUNT + label] ?? 0,
    }))
      .filter(({ share }) => share >= SMALLEST_SHARE)
      .sort((a, b) => b.share - a.share),
  }));
}
