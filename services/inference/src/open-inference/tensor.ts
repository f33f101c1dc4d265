import { DomainError } from '@atelier/domain';

/** The protocol's datatypes (Open Inference Protocol, "Tensor Data Types") and the bytes of one element of each. */
export const ELEMENT_BYTES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
} as const;

/** BYTES has elements of any length. */
export const DATATYPES = [...Object.keys(ELEMENT_BYTES), 'BYTES'] as (keyof typeof ELEMENT_BYTES | 'BYTES')[];
export type Datatype = (typeof DATATYPES)[number];

/** What a message says beside its tensors, unchecked; a name that we do not know means nothing to us. */
export type Parameters = Readonly<Record<string, unknown>>;

/** A tensor as it comes. Only its form is known: nothing says yet that its numbers fit one another. */
export interface InputTensor {
  name: string;
  /** One of `DATATYPES`, if the client keeps to the protocol. */
  datatype: string;
  /** Whole numbers of at least 0. */
  shape: readonly number[];
  /**
   * Row-major. Bytes are the raw form: little-endian, without padding, and of BYTES each element with its length before
   * it; else the elements one by one, those of BYTES as bytes.
   */
  data: Uint8Array | readonly unknown[];
}

/** A tensor of an answer. */
export type OutputTensor =
  | { name: string; datatype: 'FP32'; shape: readonly number[]; data: Float32Array }
  | { name: string; datatype: 'BYTES'; shape: readonly number[]; data: readonly string[] };

/** The length before an element of BYTES in raw form: 32 bits, unsigned. */
const LENGTH_BYTES = 4;

/** The elements of a raw BYTES tensor, as views; `invalid-request` where the lengths do not add up to `count` elements. */
export function splitBytes(name: string, raw: Uint8Array, count: number): Buffer[] {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  const elements: Buffer[] = [];
  let place = 0;
  while (place < bytes.length && elements.length < count) {
    const start = place + LENGTH_BYTES;
    if (start > bytes.length) throw broken(name, `the length of element ${elements.length} is cut short`);
    const end = start + bytes.readUInt32LE(place);
    if (end > bytes.length) {
      throw broken(name, `element ${elements.length} lacks ${end - bytes.length} of its ${end - start} bytes`);
    }
    elements.push(bytes.subarray(start, end));
    place = end;
  }
  if (elements.length < count) throw broken(name, `expected ${count} elements; came ${elements.length}`);
  if (place < bytes.length) throw broken(name, `${bytes.length - place} bytes are left over after ${count} elements`);
  return elements;
}

/** The raw form of a tensor. */
export function rawBytes({ datatype, data }: OutputTensor): Buffer {
  // Little-endian, as every machine is that Node and the runtime are built for.
  if (datatype === 'FP32') return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat(
    data.flatMap((element) => {
      const bytes = Buffer.from(element);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

function broken(name: string, reason: string): DomainError {
  return new DomainError('invalid-request', `Input "${name}" is no BYTES in raw form: ${reason}.`);
}
