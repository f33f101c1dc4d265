import { argmax, CLASS_COUNT, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Examples } from '@atelier/fashion-mnist';

/** An image and what a model takes it for. */
export interface ClassifiedImage {
  /** [28, 28] */
  pixels: Uint8Array;
  label: number;
  predicted: number;
  /** Probability of the predicted class. */
  confidence: number;
}

/** The examples in their order; `probabilities` is [count, 10]. */
export function classifiedImages({ images, labels }: Examples, probabilities: Float32Array): ClassifiedImage[] {
  return Array.from(labels, (label, row) => {
    const rowProbabilities = probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT);
    const predicted = argmax(rowProbabilities);
    return {
      pixels: images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE),
      label,
      predicted,
      confidence: rowProbabilities[predicted] ?? NaN,
    };
  });
}

/** The first `perClass` images of each class that are right, class by class; fewer where there are fewer. */
export function someCorrect(images: readonly ClassifiedImage[], perClass: number): ClassifiedImage[] {
  const correct = images.filter(({ label, predicted }) => label === predicted);
  return Array.from({ length: CLASS_COUNT }, (_, label) =>
    correct.filter((image) => image.label === label).slice(0, perClass),
  ).flat();
}

/** The `count` wrong images with the highest confidence, the highest first. */
export function confidentMistakes(images: readonly ClassifiedImage[], count: number): ClassifiedImage[] {
  return images
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, count);
}

/** The first image of each class, in the order of the images. */
export function oneOfEachClass(images: readonly ClassifiedImage[]): ClassifiedImage[] {
  return images.filter(({ label }, place) => images.findIndex((image) => image.label === label) === place);
}
