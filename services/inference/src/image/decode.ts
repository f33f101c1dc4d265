import { DomainError } from '@atelier/domain';
import { decodePicture, restrictDecoders } from './decode-picture.ts';
import { DecodeSlots } from './decode-slots.ts';
import { pixelCost } from './pixel-cost.ts';
import { toModelImage } from './to-model-image.ts';

/** One of the image files of a request. */
export interface ImageFile {
  bytes: Buffer;
  /** Where it stands in the request; begins the message of its fault. */
  place?: string;
}

/**
 * Turns the image files of one request into images of the one form, [count, 28, 28], 0 = background, 255 = brightest
 * garment. Rejects with the first fault it meets: `missing-image` for an empty file, `unsupported-media-type`,
 * `undecodable-image`, `image-too-large`; or, between two files, with the reason of `signal` when that has aborted.
 */
export type FilesDecoder = (files: readonly ImageFile[], signal?: AbortSignal) => Promise<Uint8Array>;

/** The same for one file, which gives [28, 28]. */
export type ImageDecoder = (file: Buffer) => Promise<Uint8Array>;

/**
 * How many pictures are decoded at a time, over all requests: each may hold four bytes a pixel, and occupies one of the
 * four threads that reading files and decompressing bodies need too.
 */
const PARALLEL_DECODES = 2;

/**
 * A decoder of JPEG, PNG, WebP, GIF (its first frame), TIFF (its first page) and AVIF that takes up to `maximumPixels`
 * in a request, counted as `pixelCost` does. It has one picture of a request in work at a time, so that a request with
 * many files is no quicker than its share.
 */
export function createFilesDecoder(maximumPixels: number): FilesDecoder {
  restrictDecoders();
  const slots = new DecodeSlots(PARALLEL_DECODES);
  return async (files, signal) => {
    let sum = 0;
    for (const file of files) {
      await atPlace(file, async () => {
        const cost = await pixelCost(nonEmpty(file.bytes));
        sum += cost;
        if (sum > maximumPixels) throw tooLarge(sum, cost, maximumPixels);
      });
      signal?.throwIfAborted();
    }
    const images: Uint8Array[] = [];
    for (const file of files) {
      const image = await slots.run(async () => {
        signal?.throwIfAborted(); // the wait for a slot can be long
        return atPlace(file, async () => toModelImage(await decodePicture(file.bytes, maximumPixels)));
      });
      images.push(image);
    }
    return Buffer.concat(images);
  };
}

/** A decoder for one file at a time, as a command line has them. */
export function createImageDecoder(maximumPixels: number): ImageDecoder {
  const decode = createFilesDecoder(maximumPixels);
  return (bytes) => decode([{ bytes }]);
}

async function atPlace<T>({ place }: ImageFile, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (place === undefined || !(error instanceof DomainError)) throw error;
    throw new DomainError(error.code, `${place}: ${error.message}`, { cause: error.cause });
  }
}

function nonEmpty(file: Buffer): Buffer {
  if (file.length > 0) return file;
  throw new DomainError('missing-image', 'There are no bytes.');
}

function tooLarge(sum: number, cost: number, maximum: number): DomainError {
  const counted = sum === cost ? 'The image counts' : 'Up to this image those of the request count';
  return new DomainError('image-too-large', `${counted} ${sum} pixels; at most ${maximum} are taken.`);
}
