import { malformed } from '../errors.ts';
import type { LayerCall } from '../rule.ts';
import { plainArray, shown } from '../settings.ts';
import { moderateCount } from '../graph/scope.ts';

/** Numbers as a setting has them. */
export interface NumberList {
  shape: readonly number[];
  values: readonly number[];
}

/** The setting `key`: a number, a list of numbers of any depth, or such a list as Keras 3 writes an array of numpy. */
export function numbersOf({ settings, name, className }: LayerCall, key: string): NumberList | undefined {
  const written = settings.get(key);
  if (written === undefined) return undefined;
  const list = readNumbers(plainArray(written));
  if (list) return list;
  throw malformed(
    `Layer "${name}" (${className}) has ${key} ${shown(written)}; expected a number or lists of one length.`,
  );
}

/** The setting as numbers of `shape`: sizes of 1 are repeated, and missing axes in front. */
export function broadcastNumbers(call: LayerCall, key: string, shape: readonly number[]): Float32Array | undefined {
  const list = numbersOf(call, key);
  if (!list) return undefined;
  const from = list.shape.length > shape.length ? withoutLeadingOnes(list.shape, shape.length) : list.shape;
  const missing = shape.length - from.length;
  if (missing < 0 || from.some((size, axis) => size !== 1 && size !== shape[axis + missing])) {
    throw malformed(
      `Layer "${call.name}" (${call.className}) has ${key} of shape [${list.shape.join(', ')}]; expected [${shape.join(', ')}].`,
    );
  }
  const count = moderateCount(shape, call.name);
  return Float32Array.from({ length: count }, (_, index) => list.values[sourceOf(index, from, shape)] ?? NaN);
}

function sourceOf(index: number, from: readonly number[], shape: readonly number[]): number {
  let rest = index;
  let source = 0;
  let stride = 1;
  for (let back = 1; back <= from.length; back++) {
    const size = shape.at(-back) ?? 1;
    const own = from.at(-back) ?? 1;
    if (own !== 1) source += (rest % size) * stride;
    stride *= own;
    rest = Math.floor(rest / size);
  }
  return source;
}

function withoutLeadingOnes(shape: readonly number[], rank: number): readonly number[] {
  const leading = shape.slice(0, shape.length - rank);
  return leading.every((size) => size === 1) ? shape.slice(shape.length - rank) : shape;
}

function readNumbers(source: unknown): NumberList | undefined {
  if (typeof source === 'number' && Number.isFinite(source)) return { shape: [], values: [source] };
  if (!Array.isArray(source) || source.length === 0) return undefined;
  const rows = source.map(readNumbers);
  const shape = rows[0]?.shape.join();
  if (!rows.every((row): row is NumberList => row?.shape.join() === shape)) return undefined;
  return { shape: [source.length, ...(rows[0]?.shape ?? [])], values: rows.flatMap(({ values }) => values) };
}
