import { DomainError } from '@atelier/domain';
import sharp from 'sharp';
import { IMAGE_FORMATS, type ImageFormat, imageFormat } from './formats.ts';

/** Their decoders hold the whole picture, where those of the others pass it through in strips. */
const DECODED_WHOLE: readonly ImageFormat[] = ['WebP', 'GIF', 'AVIF'];

/** What a pixel counts of a picture that is decoded as a whole: of these half as many are taken. */
const WHOLE_PICTURE_FACTOR = 2;

/**
 * The pixels of an image file by its header, those of a picture that can only be decoded as a whole (interlaced or
 * progressive, or of such a format) counted twice. Rejects with `unsupported-media-type` for content that is no
 * image of a kind that we accept, `undecodable-image` where the header cannot be read.
 */
export async function pixelCost(file: Buffer): Promise<number> {
  const format = imageFormat(file);
  if (format === undefined) throw unsupported();
  try {
    const { width, height, isProgressive = false } = await sharp(file, { limitInputPixels: false }).metadata();
    return width * height * (isProgressive || DECODED_WHOLE.includes(format) ? WHOLE_PICTURE_FACTOR : 1);
  } catch (cause) {
    throw undecodable(cause);
  }
}

function unsupported(): DomainError {
  const accepted = IMAGE_FORMATS.join(', ');
  return new DomainError('unsupported-media-type', `The content is no image of a kind accepted here: ${accepted}.`);
}

export function undecodable(cause: unknown): DomainError {
  return new DomainError('undecodable-image', 'The image is damaged or incomplete.', { cause });
}
