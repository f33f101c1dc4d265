import { CLASS_COUNT, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { TrainingExamples } from '../training-engine.ts';

/** A `RangeError` for images, targets or learning rates that do not fit the count of examples and the batch size. */
export function requireFittingExamples(
  { count, images, targets }: TrainingExamples,
  learningRates: Float32Array,
  batchSize: number,
): void {
  const lengths = {
    pixels: [images.length, count * PIXELS_PER_IMAGE],
    'target values': [targets.length, count * CLASS_COUNT],
    'learning rates': [learningRates.length, Math.ceil(count / batchSize)],
  };
  for (const [name, [found, expected]] of Object.entries(lengths)) {
    if (found !== expected) throw new RangeError(`${found} ${name} for ${count} examples; expected ${expected}.`);
  }
}
