import { DomainError, messageOf } from '@atelier/domain';

/** Named float32 tensors; `data` is row-major. */
export type Tensors = Record<string, { shape: number[]; data: Float32Array }>;

export interface Safetensors {
  metadata: Record<string, string>;
  tensors: Tensors;
}

/**
 * The format of https://github.com/huggingface/safetensors (README, "Format"): the header's length as a little-endian
 * uint64, the header as JSON, then the tensors' bytes without a gap. `data_offsets` count from the end of the header.
 */
const LENGTH_BYTES = 8;
/** Spaces may follow the JSON; with them the data begin at a multiple of this. */
const ALIGNMENT = 8;
/** The most that the format's own reader takes. */
const MAXIMUM_HEADER_BYTES = 100_000_000;
const METADATA = '__metadata__';
const FLOAT_BYTES = 4;

/** The pieces of a file, in order: what is before the tensors, then each tensor's bytes as a view, without a copy. */
export function encodeSafetensors({ metadata, tensors }: Safetensors): Uint8Array[] {
  const header: Record<string, unknown> = { [METADATA]: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, (offset += data.byteLength)] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const start = Buffer.alloc(LENGTH_BYTES + length, ' ');
  start.writeBigUInt64LE(BigInt(length));
  json.copy(start, LENGTH_BYTES);
  return [start, ...Object.values(tensors).map(({ data }) => bytesOf(data))];
}

/**
 * Reads what `encodeSafetensors` wrote, or any other file with float32 tensors alone. `invalid-checkpoint` names `file`
 * and the field or tensor that breaks the format, what was expected and what was found.
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const { header, data } = splitFile(bytes, file);
  const { [METADATA]: metadata = {}, ...entries } = header;
  requireStrings(metadata, file);
  const tensors: Tensors = {};
  let end = 0;
  for (const { name, shape, offsets } of Object.entries(entries)
    .map(([name, entry]) => readEntry(name, entry, file))
    .sort((a, b) => a.offsets[0] - b.offsets[0])) {
    if (offsets[0] !== end || offsets[1] > data.length) {
      const expected = `from ${end} on, in ${data.length} bytes of data`;
      fail(file, `"${name}"`, `bytes ${expected}`, `${offsets[0]} to ${offsets[1]}`);
    }
    end = offsets[1];
    const copy = Uint8Array.from(data.subarray(...offsets)); // aligned, and not the whole file's memory
    tensors[name] = { shape, data: new Float32Array(copy.buffer) };
  }
  if (end !== data.length) fail(file, 'data', `${end} bytes`, `${data.length}`);
  return { metadata, tensors };
}

function splitFile(bytes: Uint8Array, file: string): { header: Record<string, unknown>; data: Uint8Array } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < LENGTH_BYTES) fail(file, 'header length', `${LENGTH_BYTES} bytes`, `${buffer.length}`);
  const length = Number(buffer.readBigUInt64LE());
  const most = Math.min(buffer.length - LENGTH_BYTES, MAXIMUM_HEADER_BYTES);
  if (length > most) fail(file, 'header length', `at most ${most}`, `${length}`);
  const data = buffer.subarray(LENGTH_BYTES + length);
  try {
    const header: unknown = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, LENGTH_BYTES + length));
    if (isObject(header)) return { header, data };
  } catch (cause) {
    throw new DomainError('invalid-checkpoint', `${file}: header: ${messageOf(cause)}`, { cause });
  }
  return fail(file, 'header', 'an object', 'another value');
}

function requireStrings(metadata: unknown, file: string): asserts metadata is Record<string, string> {
  if (!isObject(metadata)) fail(file, METADATA, 'an object', JSON.stringify(metadata));
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') fail(file, `${METADATA}.${key}`, 'a string', JSON.stringify(value));
  }
}

function readEntry(name: string, entry: unknown, file: string) {
  if (!isObject(entry)) return fail(file, `"${name}"`, 'an object', JSON.stringify(entry));
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32') return fail(file, `"${name}" dtype`, '"F32"', JSON.stringify(dtype));
  if (!areSizes(shape)) return fail(file, `"${name}" shape`, 'whole numbers', JSON.stringify(shape));
  const bytes = shape.reduce((product, size) => product * size, FLOAT_BYTES);
  if (!areSizes(offsets) || offsets.length !== 2 || Number(offsets[1]) - Number(offsets[0]) !== bytes) {
    return fail(file, `"${name}" data_offsets`, `two that are ${bytes} bytes apart`, JSON.stringify(offsets));
  }
  return { name, shape, offsets: offsets as [number, number] };
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function areSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fail(file: string, field: string, expected: string, found: string): never {
  throw new DomainError('invalid-checkpoint', `${file}: ${field}: expected ${expected}, found ${found}.`);
}
