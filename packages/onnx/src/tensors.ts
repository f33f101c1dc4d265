import {
  type ArrayOf,
  arrayFromBytes,
  arrayFromNumbers,
  type ArrayType,
  littleEndianBytes,
  littleEndianView,
} from './bytes.ts';
import { byteCount, elementCount } from './data-types.ts';
import type { OnnxTensor } from './model.ts';

/** Elements of one type, row-major; plain numbers are converted. */
export type Elements<T extends ArrayType> =
  ArrayOf<T> | (T extends 'int64' | 'uint64' ? readonly (number | bigint)[] : readonly number[]);

/**
 * A tensor with a copy of `values`, row-major; float16 and bfloat16 take bits. As many values as the shape has
 * elements, or a `RangeError`.
 */
export function tensor<T extends ArrayType>(
  name: string,
  type: T,
  shape: readonly number[],
  values: Elements<T>,
): OnnxTensor {
  expectCount(name, shape, values.length);
  const array = Array.isArray(values) ? arrayFromNumbers(type, values as (number | bigint)[]) : (values as ArrayOf<T>);
  return { name, type, shape, data: littleEndianBytes(array) };
}

/**
 * A tensor that is the memory of `values`, row-major and as many as the shape has elements, or a `RangeError`: not a copy,
 * so that whoever made them must leave them alone from now on.
 */
export function tensorOver<T extends ArrayType>(
  name: string,
  type: T,
  shape: readonly number[],
  values: ArrayOf<T>,
): OnnxTensor {
  expectCount(name, shape, values.length);
  return { name, type, shape, data: littleEndianView(values) };
}

/** The elements of a tensor of `type`, copied; another type, strings or external data are a `RangeError`. */
export function valuesOf<T extends ArrayType>(source: OnnxTensor, type: T): ArrayOf<T> {
  if (source.type !== type) throw new RangeError(`Tensor "${source.name}" is of ${source.type}; expected ${type}.`);
  if (source.external) {
    throw new RangeError(`The elements of tensor "${source.name}" are in the file ${source.external['location']}.`);
  }
  const expected = byteCount(source.type, source.shape);
  if (source.data.length === expected) return arrayFromBytes(type, source.data);
  throw new RangeError(`Tensor "${source.name}" has ${source.data.length} bytes; its shape takes ${expected}.`);
}

export function float32Tensor(name: string, shape: readonly number[], values: Elements<'float32'>): OnnxTensor {
  return tensor(name, 'float32', shape, values);
}

export function int64Tensor(name: string, shape: readonly number[], values: Elements<'int64'>): OnnxTensor {
  return tensor(name, 'int64', shape, values);
}

export function float32Scalar(name: string, number: number): OnnxTensor {
  return tensor(name, 'float32', [], [number]);
}

export function int64Scalar(name: string, number: number | bigint): OnnxTensor {
  return tensor(name, 'int64', [], [number]);
}

export function boolScalar(name: string, truth: boolean): OnnxTensor {
  return tensor(name, 'bool', [], [truth ? 1 : 0]);
}

/** A one-dimensional int64 tensor: the shape of a Reshape, the axes of a Slice. */
export function int64Vector(name: string, values: readonly number[]): OnnxTensor {
  return tensor(name, 'int64', [values.length], values);
}

export function stringTensor(name: string, shape: readonly number[], values: readonly string[]): OnnxTensor {
  expectCount(name, shape, values.length);
  const encoder = new TextEncoder();
  return {
    name,
    type: 'string',
    shape,
    data: new Uint8Array(),
    strings: values.map((text) => encoder.encode(text)),
  };
}

export function float32Values(source: OnnxTensor): Float32Array {
  return valuesOf(source, 'float32');
}

export function int64Values(source: OnnxTensor): BigInt64Array {
  return valuesOf(source, 'int64');
}

/** Elements of a string tensor, read as UTF-8. */
export function stringValues({ name, type, strings }: OnnxTensor): string[] {
  if (!strings) throw new RangeError(`Tensor "${name}" is of ${type}; expected string.`);
  const decoder = new TextDecoder();
  return strings.map((bytes) => decoder.decode(bytes));
}

function expectCount(name: string, shape: readonly number[], count: number): void {
  if (count === elementCount(shape)) return;
  throw new RangeError(`${count} values for tensor "${name}" of shape [${shape.join(', ')}].`);
}
