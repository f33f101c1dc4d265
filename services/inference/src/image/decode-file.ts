import { DomainError } from '@atelier/domain';
import { decodePicture } from './decode-picture.ts';
import { pixelCost } from './pixel-cost.ts';
import type { DecodeSlots } from './decode-slots.ts';
import { toModelImage } from './to-model-image.ts';

export { restrictDecoders } from './decode-picture.ts';

export interface PixelLimits {
  /** Most pixels of all files of a request, counted as `pixelCost` does. */
  maximumPixels: number;
  /** Those of the files before this one. */
  countedPixels: number;
}

/** A picture with more pixels takes a slot: each may hold four bytes for every one of them. */
const SMALL_PIXELS = 1_000_000;

/**
 * Turns an image file (JPEG, PNG, WebP, GIF: its first frame, TIFF: its first page, AVIF) into an image of the one form,
 * [28, 28], 0 = background, 255 = brightest garment, and says how many pixels it counted. Rejects with `missing-image` for
 * an empty file, `unsupported-media-type`, `undecodable-image`, `image-too-large`. Large pictures wait for one of `slots`.
 */
export async function decodeFile(
  file: Buffer,
  { maximumPixels, countedPixels }: PixelLimits,
  slots: DecodeSlots,
): Promise<{ image: Uint8Array; pixels: number }> {
  if (file.length === 0) throw new DomainError('missing-image', 'There are no bytes.');
  const pixels = await pixelCost(file);
  const sum = countedPixels + pixels;
  if (sum > maximumPixels) throw tooLarge(sum, pixels, maximumPixels);
  const decode = async () => toModelImage(await decodePicture(file, maximumPixels));
  return { image: await (pixels > SMALL_PIXELS ? slots.run(decode) : decode()), pixels };
}

function tooLarge(sum: number, cost: number, maximum: number): DomainError {
  const counted = sum === cost ? 'The image counts' : 'Up to this image those of the request count';
  return new DomainError('image-too-large', `${counted} ${sum} pixels; at most ${maximum} are taken.`);
}
