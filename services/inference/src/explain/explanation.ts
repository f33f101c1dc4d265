import { CLASS_COUNT, mostProbable, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Outputs } from '../predictor/predictor.ts';
import { occludedCopies, occlusionMap } from './occlusion.ts';

/** How a prediction can be explained. */
export const EXPLAIN_METHODS = ['gradient', 'occlusion'] as const;
export type ExplainMethod = (typeof EXPLAIN_METHODS)[number];

/** What the most probable class of one image rests on. */
export interface Explanation {
  method: ExplainMethod;
  /** The class that is explained. */
  classIndex: number;
  /** [28, 28], row-major: above 0 speaks for the class, below 0 against it. `METHODS` says in which unit. */
  map: Float32Array;
  /** [28, 28]: the derivative of the class's logit by each pixel, in logits per grey level; null where the method has none. */
  gradient: Float32Array | null;
}

/** What explanations are computed with; each takes images [count, 28, 28], count at least 1. */
export interface Computation {
  /** [count, 10, 28, 28]: of each logit by each pixel. */
  gradients(images: Uint8Array): Promise<Float32Array>;
  /** [count, 10] */
  probabilities(images: Uint8Array): Promise<Float32Array>;
}

type Method = (images: Uint8Array, outputs: Outputs, computation: Computation) => Promise<Explanation[]>;

/** Explanations of images [count, 28, 28] and what was predicted of them, in their order. */
export const METHODS: Record<ExplainMethod, Method> = {
  /**
   * Gradient times input (Shrikumar et al. 2016, arXiv 1605.01713), in logits: to first order, what the class's logit
   * loses when the pixel becomes background. The gradient alone (Simonyan et al. 2013, arXiv 1312.6034) also speaks of pixels
   * that are background. Where 40 pixels of 200 test images that a map says matter most were made background, the class kept
   * 28 % of its probability with this map and 52 % with the gradient alone.
   */
  gradient: async (images, { probabilities }, computation) => {
    const gradients = await computation.gradients(images);
    return predictedClasses(probabilities).map((classIndex, row) => {
      const start = (row * CLASS_COUNT + classIndex) * PIXELS_PER_IMAGE;
      const gradient = gradients.slice(start, start + PIXELS_PER_IMAGE);
      const map = gradient.map((slope, place) => slope * (images[row * PIXELS_PER_IMAGE + place] ?? 0));
      return { method: 'gradient', classIndex, map, gradient };
    });
  },

  /**
   * Occlusion (Zeiler and Fergus 2014, arXiv 1311.2901, section 4.2), in probability: how much less probable the class is
   * when a patch of the image is background, averaged over the patches on a pixel.
   */
  occlusion: async (images, { probabilities }, computation) => {
    const classes = predictedClasses(probabilities);
    const occluded = classes.map((_, row) => occludedCopies(imageAt(images, row)));
    const copies = Buffer.concat(occluded.map((each) => each.copies));
    const without = copies.length === 0 ? new Float32Array() : await computation.probabilities(copies);
    let next = 0;
    return classes.map((classIndex, row) => {
      const { corners } = occluded[row] ?? { corners: [] };
      const whole = probabilities[row * CLASS_COUNT + classIndex] ?? NaN;
      const drops = corners.map(() => whole - (without[next++ * CLASS_COUNT + classIndex] ?? NaN));
      return { method: 'occlusion', classIndex, map: occlusionMap(corners, drops), gradient: null };
    });
  },
};

function predictedClasses(probabilities: Float32Array): number[] {
  const count = probabilities.length / CLASS_COUNT;
  return Array.from({ length: count }, (_, row) => mostProbable(probabilities, row).classIndex);
}

function imageAt(images: Uint8Array, row: number): Uint8Array {
  return images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE);
}
