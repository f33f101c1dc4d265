/** Numbers in float64, row-major: what the reference computes with. */
export interface Tensor64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function tensor64(shape: readonly number[], values: Iterable<number>): Tensor64 {
  const data = Float64Array.from(values);
  if (data.length !== elementCount(shape)) {
    throw new RangeError(`${data.length} values for a tensor of shape [${shape.join(', ')}].`);
  }
  return { shape, data };
}

/** A tensor whose every element is a function of its position. */
export function build(shape: readonly number[], elementAt: (position: readonly number[]) => number): Tensor64 {
  const data = new Float64Array(elementCount(shape));
  eachPosition(shape, (position, index) => {
    data[index] = elementAt(position);
  });
  return { shape, data };
}

export function map(source: Tensor64, change: (element: number) => number): Tensor64 {
  return { shape: source.shape, data: source.data.map((element) => change(element)) };
}

/** A function of several tensors, element by element, broadcast against each other. */
export function zip(sources: readonly Tensor64[], combine: (...elements: number[]) => number): Tensor64 {
  const shape = broadcastShape(sources.map((source) => source.shape));
  return build(shape, (position) => combine(...sources.map((source) => at(source, position))));
}

/** The element at `position`, where axes of size 1 are repeated and leading axes may be missing. */
export function at({ shape, data }: Tensor64, position: readonly number[]): number {
  const offset = position.length - shape.length;
  let index = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis] ?? 1;
    index = index * size + (size === 1 ? 0 : (position[axis + offset] ?? 0));
  }
  return data[index] ?? NaN;
}

/** Every axis in `axes` summed, and kept with size 1. */
export function sum(source: Tensor64, axes: readonly number[]): Tensor64 {
  const shape = source.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const strides = stridesOf(shape);
  const data = new Float64Array(elementCount(shape));
  eachPosition(source.shape, (position, index) => {
    const target = position.reduce(
      (total, at, axis) => total + (axes.includes(axis) ? 0 : at * (strides[axis] ?? 0)),
      0,
    );
    data[target] = (data[target] ?? 0) + (source.data[index] ?? NaN);
  });
  return { shape, data };
}

export function mean(source: Tensor64, axes: readonly number[]): Tensor64 {
  const count = elementCount(axes.map((axis) => source.shape[axis] ?? 1));
  return map(sum(source, axes), (total) => total / count);
}

export function reshaped({ data }: Tensor64, shape: readonly number[]): Tensor64 {
  return tensor64(shape, data);
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

export function eachPosition(
  shape: readonly number[],
  visit: (position: readonly number[], index: number) => void,
): void {
  const count = elementCount(shape);
  const position = new Array<number>(shape.length).fill(0);
  for (let index = 0; index < count; index++) {
    visit(position, index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (position[axis] ?? 0) + 1;
      position[axis] = next < (shape[axis] ?? 1) ? next : 0;
      if (next < (shape[axis] ?? 1)) break;
    }
  }
}

function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).reduce((size, other) => (size === 1 ? other : size)),
  );
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}
