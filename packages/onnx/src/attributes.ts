import type { AttributeProto } from './generated/onnx_pb.js';
import type { OnnxGraph, OnnxTensor } from './model.ts';

/** A node's constant. The type is always said, because ONNX's `1` and `1.0` are different attributes. */
export type Attribute = (
  | { type: 'float'; value: number }
  /** A bigint only beyond ±(2⁵³ − 1): old files mean "to the end" by 2⁶³ − 1. */
  | { type: 'int'; value: number | bigint }
  | { type: 'string'; value: string }
  | { type: 'tensor'; value: OnnxTensor }
  | { type: 'graph'; value: OnnxGraph }
  | { type: 'floats'; value: readonly number[] }
  | { type: 'ints'; value: readonly (number | bigint)[] }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'tensors'; value: readonly OnnxTensor[] }
  | { type: 'graphs'; value: readonly OnnxGraph[] }
  /** A sparse tensor, a type, bytes that are no text, a reference inside a function: all of it is in `rest`. */
  | { type: 'other' }
) & {
  /** What the file said beyond these fields: see `OnnxModel`. */
  readonly rest?: AttributeProto;
};

/** What `node` takes: a plain string is a string attribute. */
export type AttributeSource = Attribute | string;

/** A float attribute, rounded to float32 as the file will hold it. */
export function float(value: number): Attribute {
  return { type: 'float', value: Math.fround(value) };
}

export function floats(values: readonly number[]): Attribute {
  return { type: 'floats', value: values.map(Math.fround) };
}

/** An int64 attribute. A fraction, or a number too large to be exact, is a `RangeError`. */
export function int(value: number | bigint): Attribute {
  return { type: 'int', value: exactInteger(value) };
}

export function ints(values: readonly (number | bigint)[]): Attribute {
  return { type: 'ints', value: values.map(exactInteger) };
}

export function string(value: string): Attribute {
  return { type: 'string', value };
}

export function strings(value: readonly string[]): Attribute {
  return { type: 'strings', value };
}

export function tensorAttribute(value: OnnxTensor): Attribute {
  return { type: 'tensor', value };
}

/** The body of an If, a Loop or a Scan. */
export function graphAttribute(value: OnnxGraph): Attribute {
  return { type: 'graph', value };
}

/** A number where that is exact, otherwise the bigint itself; the one form that reading gives too. */
export function exactInteger(value: number | bigint): number | bigint {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : BigInt.asIntN(64, value);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`Integer attribute ${value}; expected a whole number within ±(2⁵³ − 1), or a bigint.`);
}
