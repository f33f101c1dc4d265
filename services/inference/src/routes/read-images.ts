import type { IncomingMessage } from 'node:http';
import { PIXELS_PER_IMAGE } from '@atelier/domain';
import { mediaTypeOf, parseJson, readBody, requireUtf8, unsupportedMediaType } from '@atelier/http';
import type { ImageOptions } from '../contract/image.ts';
import type { FilesDecoder } from '../image/decode.ts';
import type { CarriedImages } from '../predictor/mirror-choice.ts';
import type { ImageLimits } from './image-limits.ts';
import { jsonImages } from './json-images.ts';
import { imageFiles } from './multipart.ts';

/** The forms in which a request can carry images, by its media type. */
type Form = 'json' | 'multipart' | 'file';

export interface ImageReaderParts {
  decode: FilesDecoder;
  limits: ImageLimits;
  /** Throws `overloaded` where there is no room for what would come. */
  admit: (kind: 'file' | 'pixels') => void;
}

/**
 * The images that a request carries, in their order. Another kind of body, and
 * one that there is no room for, is refused unread. Rejects with a code of the edge: all that is wrong here is the request's. Gives up when `signal` aborts.
 */
export async function readImages(
  request: IncomingMessage,
  { decode, limits, admit }: ImageReaderParts,
  options: ImageOptions,
  signal: AbortSignal,
): Promise<CarriedImages> {
  const contentType = request.headers['content-type'] ?? '';
  const form = formOf(contentType);
  admit(form === 'json' ? 'pixels' : 'file');
  switch (form) {
    case 'json': {
      requireUtf8(contentType);
      const body = await readBody(request, Math.min(limits.maximumJsonBytes, limits.maximumBodyBytes), signal);
      // Twice what can be taken, so that a request with some images too many is told so.
      const carried = jsonImages(parseJson(body, 2 * limits.maximumImages * PIXELS_PER_IMAGE), limits);
      if ('pixels' in carried) return { images: carried.pixels };
      return decode(
        placed(carried.files, (index) => `/images/${index}`),
        signal,
        options,
      );
    }
    case 'multipart': {
      const body = await readBody(request, limits.maximumBodyBytes, signal);
      const files = await imageFiles(contentType, body, limits.maximumFiles);
      return decode(
        placed(files, (index) => `File ${index + 1}`),
        signal,
        options,
      );
    }
    case 'file': {
      const body = await readBody(request, limits.maximumBodyBytes, signal);
      return decode(
        placed([body], () => 'The body'),
        signal,
        options,
      );
    }
  }
}

function placed(files: Buffer[], placeOf: (index: number) => string) {
  return files.map((bytes, index) => ({ bytes, place: placeOf(index) }));
}

function formOf(contentType: string): Form {
  const mediaType = mediaTypeOf(contentType);
  if (mediaType === 'application/json') return 'json';
  if (mediaType === 'multipart/form-data') return 'multipart';
  if (mediaType.startsWith('image/') || mediaType === 'application/octet-stream') return 'file';
  throw unsupportedMediaType('multipart/form-data, application/json, image/* or application/octet-stream', mediaType);
}
