import type { DataType } from '@atelier/onnx';

/** Element type and shape of a value whose every size is known. */
export interface TensorType {
  readonly type: DataType;
  readonly shape: readonly number[];
}

/** Whether a function can have a derivative by numbers of this type. */
export function isFloat(type: DataType): boolean {
  return type.startsWith('float') || type === 'bfloat16';
}

/** Whether we compute gradients of this type; shorter floats have too few digits for them, and runtimes few kernels. */
export function isOfGradients(type: DataType): type is 'float32' | 'float64' {
  return type === 'float32' || type === 'float64';
}

/** `axis` counted from the front; null where a value of `rank` has no such axis. */
export function positiveAxis(axis: number, rank: number): number | null {
  const positive = axis < 0 ? axis + rank : axis;
  return Number.isInteger(axis) && positive >= 0 && positive < rank ? positive : null;
}

/** The shape of an element-wise result (ONNX, "Multidirectional Broadcasting"); null where the shapes do not fit. */
export function broadcast(...shapes: readonly (readonly number[])[]): number[] | null {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const offset = rank - shape.length;
    for (const [axis, size] of shape.entries()) {
      const other = result[offset + axis] ?? 1;
      if (other !== size && other !== 1 && size !== 1) return null;
      if (size !== 1) result[offset + axis] = size;
    }
  }
  return result;
}

/** The axes of `from` along which a value of shape `to` was repeated to become it. */
export function repeatedAxes(from: readonly number[], to: readonly number[]): number[] {
  const offset = from.length - to.length;
  return [...from.keys()].filter((axis) => axis < offset || (to[axis - offset] === 1 && from[axis] !== 1));
}

export function sameShape(first: readonly number[], second: readonly number[]): boolean {
  return first.length === second.length && first.every((size, axis) => size === second[axis]);
}

/** A shape for messages. */
export function shown(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** 0, 1, ... up to before `count`. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}
