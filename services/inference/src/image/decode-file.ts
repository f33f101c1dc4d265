import { DomainError } from '@atelier/domain';
import type { ImageOptions } from '../contract/image.ts';
import type { DecodedFile } from './decode.ts';
import { decodePicture } from './decode-picture.ts';
import type { DecodeSlots } from './decode-slots.ts';
import { factsOf } from './facts.ts';
import { firstPage } from './first-page.ts';
import type { LayeredPicture } from './flatten.ts';
import { IMAGE_FORMATS, imageFormat } from './formats.ts';
import { type Header, readHeader } from './header.ts';
import { toModelImage } from './to-model-image.ts';

export { restrictDecoders } from './decode-picture.ts';

export interface PixelLimits {
  /** Most pixels of all files of a request, counted as `Header.cost` says. */
  maximumPixels: number;
  /** Those of the files before this one. */
  countedPixels: number;
}

/** Decodes a file of this header; the usual one is `decodePicture`. */
export type PictureDecoder = (file: Buffer, header: Header, maximumPixels: number) => Promise<LayeredPicture>;

/** A picture with more pixels takes a slot: each may hold four bytes for every one of them. */
const SMALL_PIXELS = 1_000_000;

/** One that can only be decoded as a whole and costs more takes all of them: two might hold 400 MB. */
const HEAVY_PIXELS = 20_000_000;

/**
 * Turns an image file (JPEG, PNG, WebP, GIF: its first frame, TIFF: its first page, AVIF) into an image of the one form,
 * [28, 28], 0 = background, 255 = brightest garment, and says what was done to it and how many pixels it counted. Rejects
 * with `missing-image` for an empty file, `unsupported-media-type`, `undecodable-image`, `image-too-large`. Large pictures
 * wait for one of `slots`. Another decoder than the usual may be given, which gives the same pixels.
 */
export async function decodeFile(
  file: Buffer,
  { maximumPixels, countedPixels }: PixelLimits,
  options: ImageOptions,
  slots: DecodeSlots,
  decodeAny: PictureDecoder = decodePicture,
): Promise<DecodedFile> {
  if (file.length === 0) throw new DomainError('missing-image', 'There are no bytes.');
  const format = imageFormat(file);
  if (format === undefined) throw unsupported();
  const page = firstPage(file, format);
  const header = await readHeader(page, format);
  const sum = countedPixels + header.cost;
  if (sum > maximumPixels) throw tooLarge(sum, header.cost, maximumPixels);
  const decode = async () => {
    const picture = await decodeAny(page, header, maximumPixels);
    const { image, ...decisions } = await toModelImage(picture, options);
    return { image, facts: factsOf(header, picture, decisions), pixels: header.cost };
  };
  if (header.cost <= SMALL_PIXELS) return decode();
  return slots.run(decode, undefined, header.isWhole && header.cost > HEAVY_PIXELS ? slots.count : 1);
}

function unsupported(): DomainError {
  const accepted = IMAGE_FORMATS.join(', ');
  return new DomainError('unsupported-media-type', `The content is no image of a kind accepted here: ${accepted}.`);
}

function tooLarge(sum: number, cost: number, maximum: number): DomainError {
  const counted = sum === cost ? 'The image counts' : 'Up to this image those of the request count';
  return new DomainError('image-too-large', `${counted} ${sum} pixels; at most ${maximum} are taken.`);
}
