import { IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Picture } from './picture.ts';

/** On black, [28, 28]. Takes pictures of at most that size. */
export function centre({ width, height, pixels }: Picture): Uint8Array {
  const image = new Uint8Array(PIXELS_PER_IMAGE);
  const left = Math.floor((IMAGE_WIDTH - width) / 2);
  const top = Math.floor((IMAGE_HEIGHT - height) / 2);
  for (let y = 0; y < height; y++) {
    image.set(pixels.subarray(y * width, (y + 1) * width), (top + y) * IMAGE_WIDTH + left);
  }
  return image;
}
