import { CLASS_COUNT, PIXELS_PER_IMAGE } from '@atelier/domain';
import { batchRanges, type Examples, requireRange } from './examples.ts';

/** Images with what a network is to answer for each: a distribution over the classes instead of one label. */
export interface TrainingExamples {
  readonly count: number;
  /** [count, 28, 28] row-major, 0 background to 255 brightest. */
  readonly images: Uint8Array;
  /** [count, 10], probabilities; each row sums to 1. */
  readonly targets: Float32Array;
}

/**
 * The examples with soft targets instead of labels; images are shared. `labelSmoothing`, from 0 to below 1, is the share
 * of each target that all classes get alike (arXiv 1512.00567, section 7); anything else is a `RangeError`.
 */
export function withTargets(examples: Examples, labelSmoothing: number): TrainingExamples {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new RangeError(`Label smoothing ${labelSmoothing}; expected a number from 0 to below 1.`);
  }
  const shared = labelSmoothing / CLASS_COUNT;
  const targets = new Float32Array(examples.count * CLASS_COUNT).fill(shared);
  examples.labels.forEach((label, index) => {
    targets[index * CLASS_COUNT + label] = 1 - labelSmoothing + shared;
  });
  return { count: examples.count, images: examples.images, targets };
}

/** Like `slice`: views from `start` to before `end`, which are integers in order from 0 to count or a `RangeError`. */
export function sliceTraining(examples: TrainingExamples, start: number, end: number): TrainingExamples {
  requireRange(examples.count, start, end);
  return {
    count: end - start,
    images: examples.images.subarray(start * PIXELS_PER_IMAGE, end * PIXELS_PER_IMAGE),
    targets: examples.targets.subarray(start * CLASS_COUNT, end * CLASS_COUNT),
  };
}

/** Consecutive views of `batchSize` examples, an integer of at least 1; the last may be shorter, none is empty. */
export function* trainingBatches(
  examples: TrainingExamples,
  batchSize: number,
): Generator<TrainingExamples, void, undefined> {
  for (const [start, end] of batchRanges(examples.count, batchSize)) yield sliceTraining(examples, start, end);
}
