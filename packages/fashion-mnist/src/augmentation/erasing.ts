import { IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { AugmentationStep } from './step.ts';

/** The paper's range of height to width; its logarithm is drawn uniformly, so that upright is as frequent as lying. */
const SMALLEST_RATIO = 0.3;

/** Paints rectangles in the colour of the background (arXiv 1708.04896, there also with other colours). */
export const erasing: AugmentationStep = {
  isAsked: (settings) => settings.erasing !== null && settings.erasing.probability > 0,
  apply({ images }, settings, generator) {
    const { probability, maximumArea } = settings.erasing ?? { probability: 0, maximumArea: 0 };
    for (let start = 0; start < images.length; start += PIXELS_PER_IMAGE) {
      const isErased = uniformFloat64(generator) < probability;
      const area = uniformFloat64(generator) * maximumArea * PIXELS_PER_IMAGE;
      const ratio = SMALLEST_RATIO ** (2 * uniformFloat64(generator) - 1);
      const height = side(Math.sqrt(area * ratio), IMAGE_HEIGHT);
      const width = side(Math.sqrt(area / ratio), IMAGE_WIDTH);
      const top = Math.floor(uniformFloat64(generator) * (IMAGE_HEIGHT - height + 1));
      const left = Math.floor(uniformFloat64(generator) * (IMAGE_WIDTH - width + 1));
      if (!isErased) continue;
      for (let row = top; row < top + height; row++) {
        const first = start + row * IMAGE_WIDTH + left;
        images.fill(0, first, first + width);
      }
    }
  },
};

/** A length in whole pixels, at least one and at most the image's. */
function side(length: number, longest: number): number {
  return Math.min(longest, Math.max(1, Math.round(length)));
}
