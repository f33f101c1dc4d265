import { CLASS_COUNT, IMAGE_WIDTH, mostProbable, PIXELS_PER_IMAGE } from '@atelier/domain';
import { greyPngOf, pngDataUri } from '@atelier/pictures';
import type { EvaluatedBatch } from './batch.ts';

/** An image, and what a version said of it. */
export interface AnsweredImage {
  name: string;
  /** Class index. */
  label: number;
  /** Class index. */
  predicted: number;
  /** Probability of the predicted class, 0 to 1. */
  confidence: number;
  /** [10] */
  probabilities: Float32Array;
  /** [28, 28], a copy. */
  pixels: Uint8Array;
}

/** What a row of probabilities [count, 10] says. */
export function predictionOf(probabilities: Float32Array, row: number): { predicted: number; confidence: number } {
  const { classIndex, confidence } = mostProbable(probabilities, row);
  return { predicted: classIndex, confidence: Math.min(1, confidence) }; // above 1 by a rounding
}

/** A row of a batch, apart from it: a batch is large, and its sender may use its memory again. */
export function answeredImage({ names, labels, images, probabilities }: EvaluatedBatch, row: number): AnsweredImage {
  return {
    name: names[row] ?? '',
    label: labels[row] ?? 0,
    ...predictionOf(probabilities, row),
    probabilities: probabilities.slice(row * CLASS_COUNT, (row + 1) * CLASS_COUNT),
    pixels: images.slice(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE),
  };
}

/** An order of images that have different names, whatever the language of the machine. */
export function byName({ name }: AnsweredImage, other: AnsweredImage): number {
  return name < other.name ? -1 : name > other.name ? 1 : 0;
}

export function previewOf({ pixels }: AnsweredImage): string {
  return pngDataUri(greyPngOf(pixels, IMAGE_WIDTH));
}
