import type { Dimension, OnnxValue } from '@atelier/onnx';
import { type Elements, type ElementType, isElementType, type NamedTensors } from './tensor-values.ts';
import { uniform } from './uniform.ts';

export interface RandomInputOptions {
  /** The same seed gives the same numbers on every machine. */
  seed: number;
  /** How many indices an input takes, by its name; see `indexLimits`. */
  limits?: Readonly<Record<string, number>>;
  /** Inputs that are zero: states, as they are before the first run. */
  zeros?: readonly string[];
}

/** Rows where the batch is open: more than one, so that rows that mix are seen. */
const OPEN_BATCH = 2;
/** By rank: images that are halved five times, films, sequences. */
const OPEN_SIZES: Readonly<Record<number, number>> = { 5: 16, 4: 64 };
const OPEN_LENGTH = 32;

/** Integers without a limit are below this. */
const USUAL_LIMIT = 100;

/**
 * Values for each of `inputs`: floats between -1 and 1, whole numbers where an input takes indices, integers, 0 or 1 for
 * bool. An open size with a name is the same wherever that name is. An input of another type, or of unknown rank, is an
 * error that names it.
 */
export function randomInputs(
  inputs: readonly OnnxValue[],
  { seed, limits = {}, zeros = [] }: RandomInputOptions,
): NamedTensors {
  const next = uniform(seed);
  const sizes = new Map<string, number>();
  return Object.fromEntries(
    inputs.map(({ name, type, shape: dimensions }) => {
      if (!dimensions || !isElementType(type)) throw new Error(`No random values for input "${name}" of type ${type}.`);
      const shape = dimensions.map((dimension, axis) => sizeOf(dimension, axis, dimensions.length, sizes));
      const count = shape.reduce((product, size) => product * size, 1);
      const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
      const data = elements(type, count, limit, next);
      return [name, { type, shape, data: zeros.includes(name) ? data.fill(0 as never) : data }];
    }),
  );
}

function sizeOf(dimension: Dimension, axis: number, rank: number, sizes: Map<string, number>): number {
  if (typeof dimension === 'number') return dimension;
  const usual = axis === 0 ? OPEN_BATCH : (OPEN_SIZES[rank] ?? OPEN_LENGTH);
  if (dimension === null) return usual;
  const size = sizes.get(dimension) ?? usual;
  sizes.set(dimension, size);
  return size;
}

function elements(type: ElementType, count: number, limit: number | undefined, next: () => number): Elements {
  const below = (bound: number) => Math.floor(bound * next());
  const real = limit === undefined ? () => 2 * next() - 1 : () => below(limit);
  const integer = () => below(limit ?? USUAL_LIMIT);
  const length = { length: count };
  switch (type) {
    case 'float32':
      return Float32Array.from(length, real);
    case 'float64':
      return Float64Array.from(length, real);
    case 'int32':
      return Int32Array.from(length, integer);
    case 'int64':
      return BigInt64Array.from(length, () => BigInt(integer()));
    case 'uint8':
      return Uint8Array.from(length, integer);
    case 'bool':
      return Uint8Array.from(length, () => below(2));
  }
}
