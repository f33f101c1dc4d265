import { IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import { greyPixels, pngDataUri, pngOf } from '@atelier/pictures';
import type { ImageFacts } from '../contract/image.ts';
import type { Prediction } from '../contract/predict.ts';

/** Says of each prediction what became of its picture; `images` [count, 28, 28] where they are to be shown. */
export function addImageFacts(
  predictions: Prediction[],
  facts: readonly ImageFacts[],
  images: Uint8Array | undefined,
): void {
  for (const [row, prediction] of predictions.entries()) {
    const image = facts[row];
    if (image === undefined) continue;
    prediction.image = images === undefined ? image : { ...image, preview: previewOf(images, row) };
  }
}

function previewOf(images: Uint8Array, row: number): string {
  const image = images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE);
  return pngDataUri(pngOf(greyPixels(image, IMAGE_WIDTH)));
}
