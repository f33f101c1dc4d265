import { DomainError, messageOf } from '@atelier/domain';
import sharp, { type Sharp } from 'sharp';
import type { LayeredPicture } from './flatten.ts';
import { type Header, undecodable } from './header.ts';

/** The garment needs 28 pixels; more than this many along an edge of the whole picture only costs time. */
const WORKING_EDGE = 256;
const WORKING_SIZE = { width: WORKING_EDGE, height: WORKING_EDGE };

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
 * The picture in an image file of at most `maximumPixels` by its header, and held to that: upright by its EXIF orientation,
 * in sRGB whatever its colours are stored as, or in one channel of grey; at most `WORKING_EDGE` along an edge. Rejects with
 * `undecodable-image`, or `image-too-large` when it takes too long.
 */
export async function decodePicture(file: Buffer, header: Header, maximumPixels: number): Promise<LayeredPicture> {
  try {
    const input = sharp(file, { limitInputPixels: maximumPixels });
    const { data, info } = await (isReady(header) ? input.toColourspace('b-w') : converted(input))
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, channels: info.channels, pixels: data };
  } catch (cause) {
    if (!messageOf(cause).startsWith('timeout')) throw undecodable(cause);
    throw new DomainError('image-too-large', `The image takes more than ${TIMEOUT_SECONDS} s to decode.`, { cause });
  }
}

/** Whether the picture is as it is wanted already: for a small one these steps take a third of the time, and change no pixel. */
function isReady({ isPlain, width, height }: Header): boolean {
  return isPlain && width <= WORKING_EDGE && height <= WORKING_EDGE;
}

/**
 * Scaled in eight bits and from every pixel, whatever the file is: the half-way values of 16 bits, and the quick ways of decoders
 * that leave pixels out, would give two files of one picture different pixels, and a garment's edge may hang on one.
 */
function converted(input: Sharp): Sharp {
  return input
    .timeout({ seconds: TIMEOUT_SECONDS })
    .autoOrient()
    .pipelineColourspace('srgb')
    .resize({ ...WORKING_SIZE, fit: 'inside', withoutEnlargement: true, fastShrinkOnLoad: false })
    .toColourspace('srgb');
}
