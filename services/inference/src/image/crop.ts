import type { Picture } from './picture.ts';
import type { Rectangle } from './rectangle.ts';

/** A part of a grey picture that lies within it. */
export function cropped(picture: Picture, { left, top, width, height }: Rectangle): Picture {
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * picture.width + left;
    pixels.set(picture.pixels.subarray(start, start + width), y * width);
  }
  return { width, height, pixels };
}
