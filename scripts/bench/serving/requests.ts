import { MODEL_NAME } from '../../src/settings.ts';
import { type KnownImage, type KnownPhotograph, pngOf, TOLERANCE } from './images.ts';
import type { PreparedRequest } from './load/load-plan.ts';

/** One request over HTTP/1.1, head and body. */
export function requestBytes(path: string, headers: Record<string, string>, body: Uint8Array | string): Buffer {
  const bytes = Buffer.from(body);
  const lines = Object.entries({ Host: '127.0.0.1', ...headers, 'Content-Length': String(bytes.length) });
  const head = [`POST ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes]);
}

export async function pngRequest(image: KnownImage): Promise<PreparedRequest> {
  const bytes = requestBytes('/predict', { 'Content-Type': 'image/png' }, await pngOf(image.pixels));
  return { bytes, expected: ours(image.probabilities) };
}

export function photographRequest({ jpeg, probabilities }: KnownPhotograph): PreparedRequest {
  return { bytes: requestBytes('/predict', { 'Content-Type': 'image/jpeg' }, jpeg), expected: ours(probabilities) };
}

export function pixelsRequest({ pixels, probabilities }: KnownImage): PreparedRequest {
  const body = JSON.stringify({ pixels: [[...pixels]] });
  return {
    bytes: requestBytes('/predict', { 'Content-Type': 'application/json' }, body),
    expected: ours(probabilities),
  };
}

/** Open Inference Protocol with the binary tensor extension: the answer is JSON and forty bytes for each image. */
export function tensorRequest(images: readonly KnownImage[]): PreparedRequest {
  const pixels = Buffer.concat(images.map((image) => image.pixels));
  const json = Buffer.from(
    JSON.stringify({
      inputs: [
        {
          name: 'image',
          shape: [images.length, 28, 28],
          datatype: 'UINT8',
          parameters: { binary_data_size: pixels.length },
        },
      ],
      outputs: [{ name: 'probabilities', parameters: { binary_data: true } }],
    }),
  );
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Inference-Header-Content-Length': String(json.length),
  };
  return {
    bytes: requestBytes(`/v2/models/${MODEL_NAME}/infer`, headers, Buffer.concat([json, pixels])),
    expected: {
      statuses: [200],
      answer: {
        form: 'tensor',
        probabilities: images.flatMap(({ probabilities }) => probabilities),
        tolerance: TOLERANCE,
      },
    },
  };
}

/** The bytes of an image as a body, to the hand-written route. */
export function binaryRequest({ pixels }: KnownImage): PreparedRequest {
  const bytes = requestBytes('/binary', { 'Content-Type': 'application/octet-stream' }, pixels);
  return { bytes, expected: { statuses: [200] } };
}

function ours(probabilities: readonly number[]): NonNullable<PreparedRequest['expected']> {
  return { statuses: [200], answer: { form: 'predictions', probabilities, tolerance: TOLERANCE } };
}
