import { DomainError } from '@atelier/domain';
import sharp from 'sharp';
import { IMAGE_FORMATS, type ImageFormat, imageFormat } from './formats.ts';
import { pngHeader } from './png-header.ts';

/** What a file says of its picture before anything is decoded. */
export interface Header {
  format: ImageFormat;
  /** Of the picture as it is looked at, upright, in pixels; each at least 1. */
  width: number;
  height: number;
  /** Its pixels, twice those of one that can only be decoded as a whole (interlaced, progressive, or of such a format). */
  cost: number;
  /** Whether it is grey, upright and opaque by its header alone. */
  isPlain: boolean;
}

/** Their decoders hold the whole picture, where those of the others pass it through in strips. */
const DECODED_WHOLE: readonly ImageFormat[] = ['WebP', 'GIF', 'AVIF'];

/** What a pixel counts of a picture that is decoded as a whole: of these half as many are taken. */
const WHOLE_PICTURE_FACTOR = 2;

/**
 * Reads the header of an image file. Rejects with `unsupported-media-type` for content that is no image of a kind that we
 * accept, `undecodable-image` where the header cannot be read.
 */
export async function readHeader(file: Buffer): Promise<Header> {
  const format = imageFormat(file);
  if (format === undefined) throw unsupported();
  const { width, height, isWhole, isPlain } = sizeOfPng(file) ?? (await sizeOf(file));
  const factor = isWhole || DECODED_WHOLE.includes(format) ? WHOLE_PICTURE_FACTOR : 1;
  return { format, width, height, cost: width * height * factor, isPlain };
}

interface Size extends Pick<Header, 'width' | 'height' | 'isPlain'> {
  /** Progressive or interlaced. */
  isWhole: boolean;
}

async function sizeOf(file: Buffer): Promise<Size> {
  try {
    const { autoOrient, isProgressive = false } = await sharp(file, { limitInputPixels: false }).metadata();
    return { ...autoOrient, isWhole: isProgressive, isPlain: false };
  } catch (cause) {
    throw undecodable(cause);
  }
}

/** Without the decoder, where that is possible. */
function sizeOfPng(file: Buffer): Size | undefined {
  const header = pngHeader(file);
  if (header === undefined || header.mayBeTurned) return undefined;
  const { width, height, isInterlaced, isPlainGrey } = header;
  return { width, height, isWhole: isInterlaced, isPlain: isPlainGrey };
}

function unsupported(): DomainError {
  const accepted = IMAGE_FORMATS.join(', ');
  return new DomainError('unsupported-media-type', `The content is no image of a kind accepted here: ${accepted}.`);
}

export function undecodable(cause: unknown): DomainError {
  return new DomainError('undecodable-image', 'The image is damaged or incomplete.', { cause });
}
