import type { WeightSpec } from './artifacts.ts';
import { malformed } from './errors.ts';
import { shown } from './settings.ts';
import type { StoredBytes } from './stored-bytes.ts';

/** A weight and where it lies: bytes from `start` to `end`, excluded. */
export interface LocatedWeight<Spec extends WeightSpec = WeightSpec> {
  spec: Spec;
  start: number;
  end: number;
}

/** Each weight's place in `data`, which came from `place` and must be used up exactly, or `malformed-tfjs-model`. */
export function locateWeights<Spec extends WeightSpec>(
  specs: readonly Spec[],
  data: StoredBytes,
  place: string,
): LocatedWeight<Spec>[] {
  const located = inARow(specs, data.length, place, (count, start) => stringsLength(count, data, start));
  expectUsedUp(located, data.length, place);
  return located;
}

/**
 * Whether `length` bytes from `place` are what the weights take: asked before they are read, and before anything of a size
 * that a file only claims is made. Strings, whose sizes stand among the bytes, are taken to be empty.
 */
export function expectFittingSize(specs: readonly WeightSpec[], length: number, place: string): void {
  const located = inARow(specs, length, place, (count) => 4 * count);
  if (!specs.some(isText)) expectUsedUp(located, length, place);
}

function inARow<Spec extends WeightSpec>(
  specs: readonly Spec[],
  length: number,
  place: string,
  textLength: (count: number, start: number) => number,
): LocatedWeight<Spec>[] {
  let end = 0;
  return specs.map((spec) => {
    const start = end;
    const count = spec.shape.reduce((product, size) => product * size, 1);
    end += isText(spec) ? textLength(count, start) : count * storedSize(spec);
    if (end <= length) return { spec, start, end };
    throw malformed(
      `Weight "${spec.name}" (${spec.dtype} [${spec.shape.join(', ')}]) ends at byte ${end} of ${place}; ` +
        `it has ${length} bytes.`,
    );
  });
}

function expectUsedUp(located: readonly LocatedWeight[], length: number, place: string): void {
  const end = located.at(-1)?.end ?? 0;
  if (end !== length) throw malformed(`The weights take ${end} bytes of ${place}; it has ${length}.`);
}

/** Bytes of an element as it is stored. */
const STORED_BYTES: Partial<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  complex64: 8,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

function storedSize({ name, dtype, quantization }: WeightSpec): number {
  const stored = quantization?.dtype ?? dtype;
  const size = Object.hasOwn(STORED_BYTES, stored) ? STORED_BYTES[stored] : undefined;
  if (size !== undefined) return size;
  throw malformed(
    `Weight "${name}" has dtype ${shown(stored)}; expected ${Object.keys(STORED_BYTES).join(', ')}, string.`,
  );
}

function isText({ dtype, quantization }: WeightSpec): boolean {
  return !quantization && dtype === 'string';
}

/** Each string is its length, a little-endian uint32, and then its bytes. Beyond the end, where `count` strings do not fit. */
function stringsLength(count: number, data: StoredBytes, start: number): number {
  let offset = start;
  for (let index = 0; index < count; index++) {
    if (offset + 4 > data.length) return data.length + 1 - start;
    const { buffer, byteOffset } = data.slice(offset, offset + 4);
    offset += 4 + new DataView(buffer, byteOffset, 4).getUint32(0, true);
  }
  return offset - start;
}
