import {
  DomainError,
  IMAGE_HEIGHT,
  IMAGE_WIDTH,
  MAXIMUM_PIXEL,
  PIXELS_PER_IMAGE,
  PUBLISHED_GRAPH,
} from '@atelier/domain';
import type { FilesDecoder } from '../image/decode.ts';
import type { CarriedImages } from '../predictor/mirror-choice.ts';
import { type ImageLimits, tooManyImages } from '../routes/image-limits.ts';
import { DATATYPES, type InputTensor, splitBytes } from './tensor.ts';

/** The name of the graph's one input. */
export const IMAGE = PUBLISHED_GRAPH.inputs[0].name;

/** The forms in which the images may come. */
export const IMAGE_DATATYPES = ['UINT8', 'FP32', 'BYTES'] as const;

const PIXEL_FORM = `UINT8 or FP32 [n, ${IMAGE_HEIGHT}, ${IMAGE_WIDTH}], pixels 0 to 255, not scaled`;
const ACCEPTED = `${PIXEL_FORM}; or BYTES [n], each element a picture as a file`;
const FLOAT_BYTES = 4;

export interface ImageSource {
  decode: FilesDecoder;
  limits: Pick<ImageLimits, 'maximumImages' | 'maximumFiles'>;
}

/**
 * The images [n, 28, 28] that the tensors of a request carry, n at least 1; of UINT8 in raw form the very bytes. Rejects
 * with `invalid-request`, saying what was expected; `too-many-images`; what the decoder rejects with; or, while it
 * decodes, the reason of what `signal` gives; it is called where there is something to decode.
 */
export function imagesOf(
  inputs: readonly InputTensor[],
  { decode, limits }: ImageSource,
  signal: () => AbortSignal | undefined,
): CarriedImages | Promise<CarriedImages> {
  const input = onlyInput(inputs);
  switch (input.datatype) {
    case 'UINT8':
      return input.data instanceof Uint8Array
        ? { images: rawPixels(input, input.data, pixelCount(input, limits)) }
        : { images: listedPixels(input, input.data, pixelCount(input, limits)) };
    case 'FP32':
      return input.data instanceof Uint8Array
        ? { images: rawFloats(input, input.data, pixelCount(input, limits)) }
        : { images: listedPixels(input, input.data, pixelCount(input, limits)) };
    case 'BYTES': {
      const files = filesIn(input, limits.maximumFiles);
      return decode(
        files.map((bytes, index) => ({ bytes, place: `Input "${IMAGE}", element ${index}` })),
        signal(),
      );
    }
    default:
      throw wrong(`has datatype ${JSON.stringify(input.datatype.slice(0, 32))}${unknownTo(input.datatype)}`);
  }
}

function onlyInput(inputs: readonly InputTensor[]): InputTensor {
  const [first, ...others] = inputs;
  const strange = inputs.find(({ name }) => name !== IMAGE);
  if (strange !== undefined) {
    const name = JSON.stringify(strange.name.slice(0, 64));
    throw new DomainError('invalid-request', `There is no input ${name}; the model takes "${IMAGE}": ${ACCEPTED}.`);
  }
  if (first === undefined) throw new DomainError('invalid-request', `Expected the input "${IMAGE}": ${ACCEPTED}.`);
  if (others.length > 0) throw new DomainError('invalid-request', `Input "${IMAGE}" came ${inputs.length} times.`);
  return first;
}

/** The pixels that the shape promises. */
function pixelCount({ shape }: InputTensor, { maximumImages }: ImageSource['limits']): number {
  const [count = 0, height, width] = shape;
  if (shape.length !== 3 || height !== IMAGE_HEIGHT || width !== IMAGE_WIDTH) {
    throw wrong(`has shape [${shape.slice(0, 8).join(', ')}]`);
  }
  if (count < 1) throw noImage();
  if (count > maximumImages) throw tooManyImages(maximumImages, count);
  return count * PIXELS_PER_IMAGE;
}

function rawPixels(input: InputTensor, raw: Uint8Array, count: number): Uint8Array {
  if (raw.length !== count) throw wrongLength(input, raw.length, count, 'bytes');
  return raw;
}

function rawFloats(input: InputTensor, raw: Uint8Array, count: number): Uint8Array {
  if (raw.length !== count * FLOAT_BYTES) throw wrongLength(input, raw.length, count * FLOAT_BYTES, 'bytes');
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length); // in a message a tensor begins at any byte
  const pixels = new Uint8Array(count);
  for (let place = 0; place < count; place++) {
    const value = view.getFloat32(place * FLOAT_BYTES, true);
    pixels[place] = value;
    if (pixels[place] !== value) throw noPixel(place, value); // fractions, NaN and what is out of range change on the way
  }
  return pixels;
}

function listedPixels(input: InputTensor, elements: readonly unknown[], count: number): Uint8Array {
  if (elements.length !== count) throw wrongLength(input, elements.length, count, 'elements');
  const pixels = new Uint8Array(count);
  for (let place = 0; place < count; place++) {
    const value = elements[place];
    if (typeof value !== 'number') throw noPixel(place, value);
    pixels[place] = value;
    if (pixels[place] !== value) throw noPixel(place, value);
  }
  return pixels;
}

function filesIn(input: InputTensor, maximumFiles: number): Buffer[] {
  const { shape, data } = input;
  const [count = 0, one = 1] = shape;
  if (shape.length < 1 || shape.length > 2 || one !== 1) throw wrong(`has shape [${shape.slice(0, 8).join(', ')}]`);
  if (count < 1) throw noImage();
  if (count > maximumFiles) throw tooManyImages(maximumFiles, count);
  if (data instanceof Uint8Array) return splitBytes(IMAGE, data, count);
  if (data.length !== count) throw wrongLength(input, data.length, count, 'elements');
  return data.map((element, index) => {
    if (element instanceof Uint8Array) return Buffer.from(element.buffer, element.byteOffset, element.length);
    throw new DomainError('invalid-request', `Input "${IMAGE}", element ${index}: expected bytes.`);
  });
}

function wrong(what: string): DomainError {
  return new DomainError('invalid-request', `Input "${IMAGE}" ${what}; expected ${ACCEPTED}.`);
}

function unknownTo(datatype: string): string {
  return (DATATYPES as readonly string[]).includes(datatype) ? '' : ', which the protocol does not have';
}

function noImage(): DomainError {
  return new DomainError(
    'invalid-request',
    `Input "${IMAGE}" has no images: its shape begins with 0; expected at least 1.`,
  );
}

function wrongLength({ datatype, shape }: InputTensor, came: number, expected: number, unit: string): DomainError {
  return new DomainError(
    'invalid-request',
    `Input "${IMAGE}" has ${came} ${unit}; ${datatype} [${shape.join(', ')}] has ${expected}.`,
  );
}

function noPixel(place: number, value: unknown): DomainError {
  const index = [place / PIXELS_PER_IMAGE, (place % PIXELS_PER_IMAGE) / IMAGE_WIDTH, place % IMAGE_WIDTH].map(
    Math.trunc,
  );
  const came = typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value;
  return new DomainError(
    'invalid-request',
    `Input "${IMAGE}" at [${index.join(', ')}]: ${came}; expected whole numbers, pixels 0 to ${MAXIMUM_PIXEL}, not scaled.`,
  );
}
