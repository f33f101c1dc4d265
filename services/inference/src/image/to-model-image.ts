import { IMAGE_HEIGHT, IMAGE_WIDTH, MAXIMUM_PIXEL, PIXELS_PER_IMAGE } from '@atelier/domain';
import sharp from 'sharp';
import type { ImageOptions } from '../contract/image.ts';
import type { Decisions } from './facts.ts';
import type { Picture } from './picture.ts';
import type { Rectangle } from './rectangle.ts';

/** How far a pixel stands out from the background to belong to the garment: 5 %, as the data set's authors trimmed. */
const GARMENT_THRESHOLD = 13;

/** A border pixel below the first counts as dark, from the second on as light; between them it has no say. */
const DARK = 64;
const LIGHT = 192;

export interface Prepared extends Decisions {
  /** [28, 28], 0 = background, 255 = brightest garment. */
  image: Uint8Array;
}

/**
 * The picture as the data set would hold it (arXiv 1708.07747, section 2): light on black, the garment's longest edge
 * 28 pixels, centred. A picture that already has that form, or its negative, keeps every pixel.
 */
export async function toModelImage(picture: Picture, options: ImageOptions): Promise<Prepared> {
  const { polarity } = options;
  const negative = negate(picture);
  if (polarity !== 'invert' && hasModelForm(picture)) return untouched(picture, false);
  if (polarity !== 'keep' && hasModelForm(negative)) return untouched(negative, true);
  const background = medianOf(borderOf(picture));
  const inverted = polarity === 'auto' ? background > MAXIMUM_PIXEL / 2 : polarity === 'invert';
  const black = blackenBackground(picture, background, inverted);
  const crop = options.crop === 'none' ? null : garmentRectangle(black);
  const image = centre(await fit(crop === null ? black : cropped(black, crop)));
  return { image, inverted, crop, background: 'plain', warnings: [] };
}

function untouched({ pixels }: Picture, inverted: boolean): Prepared {
  return { image: pixels, inverted, crop: null, background: 'none', warnings: [] };
}

/** 28×28 with a border that is rather black than white; true of each of the data set's 70,000 images. */
export function hasModelForm({ width, height, pixels }: Picture): boolean {
  if (width !== IMAGE_WIDTH || height !== IMAGE_HEIGHT) return false;
  const border = borderOf({ width, height, pixels });
  const dark = border.filter((pixel) => pixel < DARK).length;
  const light = border.filter((pixel) => pixel >= LIGHT).length;
  return dark > light;
}

export function negate(picture: Picture): Picture {
  return { ...picture, pixels: picture.pixels.map((pixel) => MAXIMUM_PIXEL - pixel) };
}

/** The background becomes 0, what is lighter than it light; or, inverted, what is darker than it. */
export function blackenBackground(picture: Picture, background: number, inverted: boolean): Picture {
  const sign = inverted ? -1 : 1;
  return { ...picture, pixels: picture.pixels.map((pixel) => Math.max(0, sign * (pixel - background))) };
}

/** The smallest rectangle with everything that stands out from black; null when nothing does. */
export function garmentRectangle({ width, height, pixels }: Picture): Rectangle | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((pixels[y * width + x] ?? 0) <= GARMENT_THRESHOLD) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** A part of a picture that lies within it. */
export function cropped(picture: Picture, { left, top, width, height }: Rectangle): Picture {
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * picture.width + left;
    pixels.set(picture.pixels.subarray(start, start + width), y * width);
  }
  return { width, height, pixels };
}

/** Scaled so that the longest edge has 28 pixels; the other keeps the ratio and has at least one. */
async function fit({ width, height, pixels }: Picture): Promise<Picture> {
  const scale = IMAGE_WIDTH / Math.max(width, height);
  const fitted = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
  const data = await sharp(pixels, { raw: { width, height, channels: 1 } })
    .resize({ ...fitted, fit: 'fill' })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  return { ...fitted, pixels: new Uint8Array(data) };
}

/** On black, 28×28. Takes pictures of at most that size. */
export function centre({ width, height, pixels }: Picture): Uint8Array {
  const image = new Uint8Array(PIXELS_PER_IMAGE);
  const left = Math.floor((IMAGE_WIDTH - width) / 2);
  const top = Math.floor((IMAGE_HEIGHT - height) / 2);
  for (let y = 0; y < height; y++) {
    image.set(pixels.subarray(y * width, (y + 1) * width), (top + y) * IMAGE_WIDTH + left);
  }
  return image;
}

/** The outermost pixels; the corners count twice. */
function borderOf({ width, height, pixels }: Picture): Uint8Array {
  const border = new Uint8Array(2 * (width + height));
  border.set(pixels.subarray(0, width));
  border.set(pixels.subarray((height - 1) * width), width);
  for (let y = 0; y < height; y++) {
    border[2 * (width + y)] = pixels[y * width] ?? 0;
    border[2 * (width + y) + 1] = pixels[(y + 1) * width - 1] ?? 0;
  }
  return border;
}

function medianOf(values: Uint8Array): number {
  const sorted = values.toSorted();
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
