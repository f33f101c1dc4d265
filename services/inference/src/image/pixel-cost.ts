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
  const { width, height, isProgressive } = pngHeader(file) ?? (await headerOf(file));
  return width * height * (isProgressive || DECODED_WHOLE.includes(format) ? WHOLE_PICTURE_FACTOR : 1);
}

interface Header {
  width: number;
  height: number;
  /** Progressive or interlaced. */
  isProgressive: boolean;
}

async function headerOf(file: Buffer): Promise<Header> {
  try {
    const { width, height, isProgressive = false } = await sharp(file, { limitInputPixels: false }).metadata();
    return { width, height, isProgressive };
  } catch (cause) {
    throw undecodable(cause);
  }
}

/**
 * That of a PNG file, whose place is fixed (PNG, third edition, sections 5.2 and 11.2.1), without the decoder: for a small
 * picture that takes a fifth of its time. Undefined for other files and where the decoder has to say what is wrong.
 */
function pngHeader(file: Buffer): Header | undefined {
  const isPng = file.length >= 33 && file.readUInt32BE(0) === 0x89504e47 && file.toString('latin1', 12, 16) === 'IHDR';
  if (!isPng) return undefined;
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  return width === 0 || height === 0 ? undefined : { width, height, isProgressive: file[28] === 1 };
}

function unsupported(): DomainError {
  const accepted = IMAGE_FORMATS.join(', ');
  return new DomainError('unsupported-media-type', `The content is no image of a kind accepted here: ${accepted}.`);
}

export function undecodable(cause: unknown): DomainError {
  return new DomainError('undecodable-image', 'The image is damaged or incomplete.', { cause });
}
