import { DomainError } from '@atelier/domain';
import sharp from 'sharp';
import type { ImageFormat } from './formats.ts';
import { pngHeader } from './png-header.ts';

/** What a file says of its picture before anything is decoded. */
export interface Header {
  format: ImageFormat;
  /** Of the picture as it is looked at, upright, in pixels; each at least 1. */
  width: number;
  height: number;
  /**
   * What its decoder may hold of it, counted in pixels of four bytes: twice as many for one that can only be decoded as a
   * whole (interlaced, progressive, or of such a format), four times for an AVIF, and more where a pixel takes more bytes.
   */
  cost: number;
  isWhole: boolean;
  /** Whether it is grey, upright and opaque by its header alone. */
  isPlain: boolean;
}

/** These decoders hold the whole picture, where those of the others pass it through in strips; that of AVIF 19 bytes a pixel. */
const WHOLE_FACTORS: Partial<Record<ImageFormat, number>> = { WebP: 2, GIF: 2, AVIF: 4 };
const WHOLE_FACTOR = 2;

/** What most pixels have at most: 8 bits of red, green, blue and alpha. */
const USUAL_BYTES = 4;

/** Reads the header of an image file. Rejects with `undecodable-image` where it cannot be read. */
export async function readHeader(file: Buffer, format: ImageFormat): Promise<Header> {
  const { width, height, isInterlaced, pixelBytes, isPlain } = sizeOfPng(file) ?? (await sizeOf(file));
  const factor = WHOLE_FACTORS[format] ?? (isInterlaced ? WHOLE_FACTOR : 1);
  const cost = width * height * factor * Math.max(1, pixelBytes / USUAL_BYTES);
  return { format, width, height, cost: Math.ceil(cost), isWhole: factor > 1, isPlain };
}

/** By the names that libvips gives to kinds of numbers. */
const SAMPLE_BYTES: Record<string, number> = {
  uchar: 1,
  char: 1,
  ushort: 2,
  short: 2,
  uint: 4,
  int: 4,
  float: 4,
  double: 8,
  complex: 8,
  dpcomplex: 16,
};

interface Size extends Pick<Header, 'width' | 'height' | 'isPlain'> {
  /** Or progressive. */
  isInterlaced: boolean;
  pixelBytes: number;
}

async function sizeOf(file: Buffer): Promise<Size> {
  try {
    const header = await sharp(file, { limitInputPixels: false }).metadata();
    const { autoOrient, isProgressive: isInterlaced = false, channels, depth } = header;
    return { ...autoOrient, isInterlaced, pixelBytes: channels * (SAMPLE_BYTES[depth] ?? 1), isPlain: false };
  } catch (cause) {
    throw undecodable(cause);
  }
}

/** Without the decoder, where that is possible. */
function sizeOfPng(file: Buffer): Size | undefined {
  const header = pngHeader(file);
  if (header === undefined || header.mayBeTurned) return undefined;
  const { width, height, isInterlaced, pixelBytes, isPlainGrey } = header;
  return { width, height, isInterlaced, pixelBytes, isPlain: isPlainGrey };
}

export function undecodable(cause: unknown): DomainError {
  return new DomainError('undecodable-image', 'The image is damaged or incomplete.', { cause });
}
