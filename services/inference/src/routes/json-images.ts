import { InvalidRequest, jsonPointer, MAXIMUM_FAULTS, type RequestFault } from '@atelier/http';
import { bytesOfBase64 } from './base64.ts';
import { type ImageLimits, tooManyImages } from './image-limits.ts';
import { packPixelRows } from './pixel-rows.ts';

/** What a JSON body carries: files still to be decoded, or images [count, 28, 28]. */
export type JsonImages = { files: Buffer[] } | { pixels: Uint8Array };

const NAMES = ['images', 'pixels'];

/**
 * Takes what `PredictRequest` describes, count at least 1; `invalid-request` points at what is wrong, `too-many-images`
 * counts it. By hand and in this order (shape, names, lengths, elements until `MAXIMUM_FAULTS` are wrong), because a
 * schema builds an issue for each of as many faulty elements as a client cares to send.
 */
export function jsonImages(source: unknown, limits: ImageLimits): JsonImages {
  const body = objectIn(source);
  const strange = Object.keys(body).filter((name) => !NAMES.includes(name));
  refuse(strange.slice(0, MAXIMUM_FAULTS).map((name) => fault([name.slice(0, 64)], 'unknown name')));
  const { images, pixels } = body;
  if ((images === undefined) === (pixels === undefined)) {
    refuse([fault([], 'expected exactly one of "images" and "pixels"')]);
  }
  if (images === undefined) {
    const rows = listIn(pixels, 'pixels');
    // One image without its outer brackets is as long as many images.
    if (Array.isArray(rows[0]) && rows.length > limits.maximumImages) {
      throw tooManyImages(limits.maximumImages, rows.length);
    }
    return { pixels: packPixelRows(Array.isArray(rows[0]) ? rows : rows.slice(0, 1)) };
  }
  const texts = listIn(images, 'images');
  if (texts.length > limits.maximumFiles) throw tooManyImages(limits.maximumFiles, texts.length);
  return { files: decodeBase64(texts) };
}

function objectIn(source: unknown): Record<string, unknown> {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw invalid([fault([], 'expected an object')]);
  }
  return source as Record<string, unknown>;
}

function listIn(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw invalid([fault([name], 'expected an array')]);
  if (value.length === 0) throw invalid([fault([name], 'expected at least one image')]);
  return value;
}

function decodeBase64(texts: unknown[]): Buffer[] {
  const files = texts.map((text) => (typeof text === 'string' ? bytesOfBase64(text) : undefined));
  const faults = [...files.entries()].filter(([, file]) => file === undefined).slice(0, MAXIMUM_FAULTS);
  refuse(faults.map(([index]) => fault(['images', index], 'expected an image file in base64 (RFC 4648, section 4)')));
  return files.filter((file) => file !== undefined);
}

function fault(path: readonly PropertyKey[], detail: string): RequestFault {
  return { pointer: jsonPointer(path), detail };
}

function refuse(faults: RequestFault[]): void {
  if (faults.length > 0) throw invalid(faults);
}

function invalid(faults: RequestFault[]): InvalidRequest {
  return new InvalidRequest('The body does not match its schema.', faults);
}
