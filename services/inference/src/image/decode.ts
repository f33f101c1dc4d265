import { DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { ImageFacts, ImageOptions } from '../contract/image.ts';
import type { PixelLimits } from './decode-file.ts';
import { DecodeSlots } from './decode-slots.ts';

/** What the pipeline does where nobody decides otherwise. */
export const DEFAULT_IMAGE_OPTIONS: Readonly<ImageOptions> = { polarity: 'auto', crop: 'auto' };

/** One of the image files of a request. */
export interface ImageFile {
  bytes: Buffer;
  /** Where it stands in the request; begins the message of its fault. */
  place?: string;
}

export interface DecodedFiles {
  /** [count, 28, 28], 0 = background, 255 = brightest garment. */
  images: Uint8Array;
  /** Of each file, in their order. */
  facts: ImageFacts[];
}

/** One image [28, 28] of the same form. */
export interface DecodedImage {
  image: Uint8Array;
  facts: ImageFacts;
}

/**
 * Turns the image files of one request into images of the one form. Rejects with the first fault it meets: `missing-image`
 * for an empty file, `unsupported-media-type`, `undecodable-image`, `image-too-large`; or with the reason of `signal` when
 * that aborts before or between two files.
 */
export type FilesDecoder = (
  files: readonly ImageFile[],
  signal?: AbortSignal,
  options?: ImageOptions,
) => Promise<DecodedFiles>;

/** The same for one file. */
export type ImageDecoder = (file: Buffer, options?: ImageOptions) => Promise<DecodedImage>;

/** Decodes one file of a request, here or elsewhere; see `decodeFile`. */
export type FileDecoder = (
  file: Buffer,
  limits: PixelLimits,
  options: ImageOptions,
  signal: AbortSignal | undefined,
) => Promise<DecodedFile>;

export interface DecodedFile extends DecodedImage {
  /** What it counted of the limit. */
  pixels: number;
}

/**
 * How many pictures a decoder has: of small ones most of the work is none of the decoder's, so that it would be idle with one
 * or two.
 */
export const PICTURES_PER_DECODER = 10;

/** How many large pictures a program without a service decodes at a time. */
const PARALLEL_DECODES = 2;

/**
 * A decoder of the files of requests that takes up to `maximumPixels` in each, counted as `Header.cost` says. It has one
 * picture of a request in work at a time, so that a request with many files is no quicker than its share.
 */
export function createFilesDecoder(maximumPixels: number, decodeOne: FileDecoder = decodeHere()): FilesDecoder {
  return async (files, signal, options = DEFAULT_IMAGE_OPTIONS) => {
    const images = new Uint8Array(files.length * PIXELS_PER_IMAGE);
    const facts: ImageFacts[] = [];
    let countedPixels = 0;
    for (const [index, file] of files.entries()) {
      const decoded = await atPlace(file, () =>
        decodeOne(file.bytes, { maximumPixels, countedPixels }, options, signal),
      );
      countedPixels += decoded.pixels;
      images.set(decoded.image, index * PIXELS_PER_IMAGE);
      facts.push(decoded.facts);
    }
    return { images, facts };
  };
}

/** A decoder for one file at a time, as a command line has them. */
export function createImageDecoder(maximumPixels: number): ImageDecoder {
  const decode = decodeHere();
  return (file, options = DEFAULT_IMAGE_OPTIONS) =>
    decode(file, { maximumPixels, countedPixels: 0 }, options, undefined);
}

/** On the thread pool of this process, which loads sharp for it; a service leaves both to its compute process. */
function decodeHere(): FileDecoder {
  const loadDecoder = async () => {
    const { decodeFile, restrictDecoders } = await import('./decode-file.ts');
    restrictDecoders();
    return decodeFile;
  };
  let loaded: ReturnType<typeof loadDecoder> | undefined;
  const slots = new DecodeSlots(PARALLEL_DECODES * PICTURES_PER_DECODER);
  const large = new DecodeSlots(PARALLEL_DECODES);
  return async (file, limits, options, signal) => {
    const decodeFile = await (loaded ??= loadDecoder());
    return slots.run(() => decodeFile(file, limits, options, large), signal);
  };
}

async function atPlace<T>({ place }: ImageFile, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (place === undefined || !isFileFault(error)) throw error;
    throw new DomainError(error.code, `${place}: ${error.message}`, { cause: error.cause });
  }
}

/** Whether a file is at fault; with others, such as that the client has left, it has nothing to do. */
export function isFileFault(error: unknown): error is DomainError {
  return error instanceof DomainError && FILE_FAULTS.has(error.code);
}

const FILE_FAULTS = new Set(['missing-image', 'unsupported-media-type', 'undecodable-image', 'image-too-large']);
