import { DomainError } from '@atelier/domain';
import { parseRequest } from '@atelier/http';
import { json, raw, type RequestHandler } from 'express';
import type { IncomingMessage } from 'node:http';
import { UncheckedPredictRequest } from '../contract/predict.ts';
import type { ImageDecoder } from '../image/decode.ts';
import { imageFiles, tooManyImages } from './multipart.ts';
import { packPixelRows } from './pixel-rows.ts';

export interface ImageLimits {
  maximumBodyBytes: number;
  maximumImages: number;
  maximumFiles: number;
}

/** The forms in which a request can carry images, by its media type. */
type Form = 'json' | 'multipart' | 'file';

/** Reads the body of a request that carries images; any other kind is refused unread. */
export function imageBody({ maximumBodyBytes: limit }: ImageLimits): RequestHandler[] {
  return [
    (request, _response, next) => {
      formOf(request);
      next();
    },
    json({ limit, strict: false, type: (request) => formOf(request) === 'json' }),
    raw({ limit, type: (request) => formOf(request) !== 'json' }),
  ];
}

/**
 * The images [count, 28, 28] of a request whose body `imageBody` has read, in their order, count at least 1. Rejects
 * with a code of the edge: everything that is wrong here is the request's.
 */
export async function readImages(
  request: IncomingMessage & { body?: unknown },
  decode: ImageDecoder,
  limits: ImageLimits,
): Promise<Uint8Array> {
  switch (formOf(request)) {
    case 'json':
      return readJson(request.body, decode, limits);
    case 'multipart': {
      const contentType = request.headers['content-type'] ?? '';
      const files = await imageFiles(contentType, bytesOf(request.body), limits.maximumFiles);
      return decodeAll(files, decode, (index) => `File ${index + 1}`);
    }
    case 'file':
      return decodeAll([bytesOf(request.body)], decode, () => 'The body');
  }
}

function readJson(source: unknown, decode: ImageDecoder, limits: ImageLimits): Promise<Uint8Array> {
  const { images, pixels = [] } = parseRequest(UncheckedPredictRequest, source);
  if (images === undefined) {
    if (pixels.length > limits.maximumImages) throw tooManyImages(limits.maximumImages);
    return Promise.resolve(packPixelRows(pixels));
  }
  if (images.length > limits.maximumFiles) throw tooManyImages(limits.maximumFiles);
  const files = images.map((image) => Buffer.from(image, 'base64'));
  return decodeAll(files, decode, (index) => `/images/${index}`);
}

/** Decodes at once what the library's own threads take on; of several faults the first image's is reported. */
async function decodeAll(
  files: Buffer[],
  decode: ImageDecoder,
  placeOf: (index: number) => string,
): Promise<Uint8Array> {
  const decoded = await Promise.allSettled(files.map(async (file) => decode(nonEmpty(file))));
  const images = decoded.map((result, index) => {
    if (result.status === 'fulfilled') return result.value;
    throw atPlace(placeOf(index), result.reason);
  });
  return Buffer.concat(images);
}

function atPlace(place: string, error: unknown): unknown {
  if (!(error instanceof DomainError)) return error;
  return new DomainError(error.code, `${place}: ${error.message}`, { cause: error });
}

function formOf({ headers }: IncomingMessage): Form {
  const mediaType = (headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase();
  if (mediaType === 'application/json') return 'json';
  if (mediaType === 'multipart/form-data') return 'multipart';
  if (mediaType.startsWith('image/') || mediaType === 'application/octet-stream') return 'file';
  throw new DomainError(
    'unsupported-media-type',
    `Expected Content-Type multipart/form-data, application/json, image/* or application/octet-stream; ` +
      `came ${mediaType === '' ? 'none' : JSON.stringify(mediaType)}.`,
  );
}

/** A request without a body has none that a parser could have set. */
function bytesOf(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function nonEmpty(file: Buffer): Buffer {
  if (file.length > 0) return file;
  throw new DomainError('missing-image', 'There are no bytes.');
}
