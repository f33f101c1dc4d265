import { DomainError } from '@atelier/domain';
import sharp from 'sharp';
import { IMAGE_FORMATS, imageFormat } from './formats.ts';
import type { Picture } from './picture.ts';
import { toModelImage } from './to-model-image.ts';

/** Turns the bytes of an image file into the one image form: [28, 28], 0 = background, 255 = brightest garment. */
export type ImageDecoder = (file: Buffer) => Promise<Uint8Array>;

/** Everything sharp may read with: buffers only, since a loader of files could be led to a file of ours. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`);

/** The garment needs 28 pixels; more than this many along an edge of the whole picture only costs time. */
const WORKING_EDGE = 512;

/**
 * A decoder of JPEG, PNG, WebP, GIF (its first frame), TIFF (its first page) and AVIF. It rejects with
 * `unsupported-media-type` for other content, `image-too-large` above `maximumPixels`, else `undecodable-image`.
 * Sets sharp up for the whole process: nothing but these loaders, no cache, one thread a picture.
 */
export function createImageDecoder(maximumPixels: number): ImageDecoder {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: LOADERS });
  sharp.cache(false);
  sharp.concurrency(1);
  return async (file) => {
    if (imageFormat(file) === undefined) throw unsupported();
    const picture = await decode(file, maximumPixels).catch(async (cause: unknown) => {
      throw (await exceeds(file, maximumPixels)) ? tooLarge(maximumPixels, cause) : undecodable(cause);
    });
    return toModelImage(picture);
  };
}

/** Upright, transparency on white, at most `WORKING_EDGE` along an edge, grey. */
async function decode(file: Buffer, maximumPixels: number): Promise<Picture> {
  const { data, info } = await sharp(file, { limitInputPixels: maximumPixels })
    .autoOrient()
    .flatten({ background: 'white' })
    .resize({ width: WORKING_EDGE, height: WORKING_EDGE, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: greyOf(data, info.channels) };
}

/**
 * Luma of 8-bit sRGB (ITU-R BT.601). By hand, because it gives a grey pixel its own value back, where libvips' way
 * through linear light is off by one for some 16-bit files.
 */
function greyOf(data: Buffer, channels: number): Uint8Array {
  const grey = new Uint8Array(data.length / channels);
  for (let pixel = 0; pixel < grey.length; pixel++) {
    const offset = pixel * channels;
    const red = data[offset] ?? 0;
    if (channels < 3) grey[pixel] = red;
    else grey[pixel] = (299 * red + 587 * (data[offset + 1] ?? 0) + 114 * (data[offset + 2] ?? 0) + 500) / 1000;
  }
  return grey;
}

/** Asked only after decoding failed: reads the header again, this time without the limit. */
async function exceeds(file: Buffer, maximumPixels: number): Promise<boolean> {
  try {
    const { width, height } = await sharp(file, { limitInputPixels: false }).metadata();
    return width * height > maximumPixels;
  } catch {
    return false; // no header to read: the file is broken, which the first error says
  }
}

function unsupported(): DomainError {
  const accepted = IMAGE_FORMATS.join(', ');
  return new DomainError('unsupported-media-type', `The content is no image of a kind accepted here: ${accepted}.`);
}

function tooLarge(maximumPixels: number, cause: unknown): DomainError {
  return new DomainError('image-too-large', `The image has more than ${maximumPixels} pixels.`, { cause });
}

function undecodable(cause: unknown): DomainError {
  return new DomainError('undecodable-image', 'The image is damaged or incomplete.', { cause });
}
