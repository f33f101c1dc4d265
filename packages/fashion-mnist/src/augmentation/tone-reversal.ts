import { MAXIMUM_PIXEL, PIXELS_PER_IMAGE } from '@atelier/domain';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { AugmentationStep } from './step.ts';

/** Darker pixels are taken for background, which stays as it is. */
const GARMENT = 16;

/**
 * Makes the lightest part of a garment its darkest and so on: of a photo it depends on the background whether tones are
 * kept or reversed, where the data set's are all reversed.
 */
export const toneReversal: AugmentationStep = {
  isAsked: (settings) => settings.toneReversal > 0,
  apply({ images }, settings, generator) {
    for (let start = 0; start < images.length; start += PIXELS_PER_IMAGE) {
      if (uniformFloat64(generator) < settings.toneReversal) reverse(images.subarray(start, start + PIXELS_PER_IMAGE));
    }
  },
};

function reverse(image: Uint8Array): void {
  let [lowest, highest] = [MAXIMUM_PIXEL, 0];
  for (const level of image) {
    if (level < GARMENT) continue;
    lowest = Math.min(lowest, level);
    highest = Math.max(highest, level);
  }
  for (let pixel = 0; pixel < PIXELS_PER_IMAGE; pixel++) {
    const level = image[pixel] ?? 0;
    if (level >= GARMENT) image[pixel] = lowest + highest - level;
  }
}
