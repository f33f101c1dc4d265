import type { IncomingMessage } from 'node:http';
import { DomainError, IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import { mediaTypeOf, parseJson, readBody, requireUtf8 } from '@atelier/http';
import type { ImageLimits } from '../../routes/image-limits.ts';
import { IMAGE } from '../image-input.ts';
import { readWireRequest, type WireRequest } from './wire-request.ts';

/** Says how long the JSON before the binary tensors is, in bytes; clients and servers write it in this case. */
export const HEADER_LENGTH = 'Inference-Header-Content-Length';
const HEADER_LENGTH_FIELD = 'inference-header-content-length';

/** What clients declare JSON and binary tensors to be: the last is what `curl --data` says of everything. */
const MEDIA_TYPES = ['application/json', 'application/octet-stream', 'application/x-www-form-urlencoded'];

/** Values of a request that are no elements: names, shapes, parameters. */
const OTHER_VALUES = 1_000;

export interface ReceivedRequest extends WireRequest {
  /** The body was the tensor and nothing else. */
  isRaw: boolean;
}

/** Reads an inference request of any form. Rejects with codes of the edge: all that is wrong here is the request's. */
export async function readInferRequest(
  request: IncomingMessage,
  limits: ImageLimits,
  signal: AbortSignal,
): Promise<ReceivedRequest> {
  refuseOtherMedia(request.headers['content-type']);
  const announced = request.headers[HEADER_LENGTH_FIELD];
  if (announced === undefined) {
    const body = await readBody(request, Math.min(limits.maximumJsonBytes, limits.maximumBodyBytes), signal);
    return { ...readWireRequest(jsonOf(body, limits), EMPTY), isRaw: false };
  }
  const length = headerLength(announced);
  const body = await readBody(request, limits.maximumBodyBytes, signal);
  if (length === 0) return rawRequest(body);
  if (length > body.length) {
    throw invalid(`${HEADER_LENGTH} is ${length}; the body has ${body.length} bytes (after decompression).`);
  }
  if (length > limits.maximumJsonBytes) {
    throw new DomainError('payload-too-large', `The JSON exceeds ${limits.maximumJsonBytes} bytes.`);
  }
  return { ...readWireRequest(jsonOf(body.subarray(0, length), limits), body.subarray(length)), isRaw: false };
}

const EMPTY = Buffer.alloc(0);

/** Raw: the body is the input of a batch of one. */
function rawRequest(body: Buffer): ReceivedRequest {
  const shape = [1, IMAGE_HEIGHT, IMAGE_WIDTH];
  const inputs = [{ name: IMAGE, datatype: 'UINT8', shape, data: body }];
  return { id: undefined, parameters: {}, inputs, outputs: undefined, isRaw: true };
}

/** Twice what can be taken, so that a request with some images too many is told so. */
function jsonOf(body: Buffer, { maximumImages }: ImageLimits): unknown {
  return parseJson(body, 2 * maximumImages * PIXELS_PER_IMAGE + OTHER_VALUES);
}

/** A header that comes twice reads `5, 5`, and is none. */
function headerLength(announced: string | string[]): number {
  const text = String(announced).trim();
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalid(
    `${HEADER_LENGTH} ${JSON.stringify(text.slice(0, 32))}; expected the whole number of bytes of the JSON.`,
  );
}

/** Many clients declare nothing; one that declares something else sends something else. */
export function refuseOtherMedia(contentType: string | undefined): void {
  if (contentType === undefined || contentType === 'application/json') return;
  const mediaType = mediaTypeOf(contentType);
  if (mediaType !== '' && !MEDIA_TYPES.includes(mediaType)) {
    const came = JSON.stringify(mediaType.slice(0, 64));
    throw new DomainError(
      'unsupported-media-type',
      `Content-Type ${came}; expected ${MEDIA_TYPES.slice(0, 2).join(' or ')}.`,
    );
  }
  if (mediaType === 'application/json') requireUtf8(contentType);
}

function invalid(message: string): DomainError {
  return new DomainError('invalid-request', message);
}
