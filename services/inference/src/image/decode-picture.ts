import { DomainError, messageOf } from '@atelier/domain';
import sharp from 'sharp';
import type { Picture } from './picture.ts';
import { undecodable } from './header.ts';

/** The garment needs 28 pixels; more than this many along an edge of the whole picture only costs time. */
const WORKING_EDGE = 512;

/** No picture within the limits takes a tenth of it. */
const TIMEOUT_SECONDS = 10;

/** Everything sharp may read with: buffers only, since a loader of files could be led to a file of ours. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`);

/** Sets sharp up for the whole process: nothing but these loaders, no cache, one thread a picture. */
export function restrictDecoders(): void {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: LOADERS });
  sharp.cache(false);
  sharp.concurrency(1);
}

/**
 * The picture in an image file of at most `maximumPixels` by its header, and held to that: upright, transparency on
 * white, at most `WORKING_EDGE` along an edge, grey. Rejects with `undecodable-image`, or `image-too-large` when it takes too long.
 */
export async function decodePicture(file: Buffer, maximumPixels: number): Promise<Picture> {
  try {
    const { data, info } = await sharp(file, { limitInputPixels: maximumPixels })
      .timeout({ seconds: TIMEOUT_SECONDS })
      .autoOrient()
      .flatten({ background: 'white' })
      .resize({ width: WORKING_EDGE, height: WORKING_EDGE, fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: greyOf(data, info.channels) };
  } catch (cause) {
    if (!messageOf(cause).startsWith('timeout')) throw undecodable(cause);
    throw new DomainError('image-too-large', `The image takes more than ${TIMEOUT_SECONDS} s to decode.`, { cause });
  }
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
