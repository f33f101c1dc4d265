import { IMAGE_HEIGHT, IMAGE_WIDTH, MAXIMUM_PIXEL } from '@atelier/domain';
import { borderPlaces } from './border.ts';
import type { Picture } from './picture.ts';

/** A border pixel below the first counts as dark, from the second on as light; between them it has no say. */
const DARK = 64;
const LIGHT = 192;

export function hasModelSize({ width, height }: Pick<Picture, 'width' | 'height'>): boolean {
  return width === IMAGE_WIDTH && height === IMAGE_HEIGHT;
}

/** 28×28 with a border that is rather black than white; true of each of the data set's 70,000 images. */
export function hasModelForm(picture: Picture): boolean {
  if (!hasModelSize(picture)) return false;
  let balance = 0;
  for (const place of borderPlaces(picture, 1)) {
    const pixel = picture.pixels[place] ?? 0;
    if (pixel < DARK) balance++;
    else if (pixel >= LIGHT) balance--;
  }
  return balance > 0;
}

export function negate(picture: Picture): Picture {
  return { ...picture, pixels: picture.pixels.map((pixel) => MAXIMUM_PIXEL - pixel) };
}
