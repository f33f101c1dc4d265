/** Row-major numbers with their shape. */
export interface NumberArray {
  shape: readonly number[];
  values: Float32Array;
}

/** Axis i of the result is axis `permutation[i]` of the source. */
export function transposed({ shape, values }: NumberArray, permutation: readonly number[]): NumberArray {
  const strides = stridesOf(shape);
  const result = permutation.map((axis) => shape[axis] ?? 1);
  const steps = permutation.map((axis) => strides[axis] ?? 0);
  const moved = new Float32Array(values.length);
  const position = new Array<number>(result.length).fill(0);
  let source = 0;
  for (let index = 0; index < moved.length; index++) {
    moved[index] = values[source] ?? 0;
    for (let axis = result.length - 1; axis >= 0; axis--) {
      source += steps[axis] ?? 0;
      position[axis] = (position[axis] ?? 0) + 1;
      if ((position[axis] ?? 0) < (result[axis] ?? 1)) break;
      source -= (steps[axis] ?? 0) * (result[axis] ?? 1);
      position[axis] = 0;
    }
  }
  return { shape: result, values: moved };
}

/** Rows of a matrix in another order: row i of the result is row `order[i]`. */
export function withRows({ shape, values }: NumberArray, order: readonly number[]): NumberArray {
  const width = values.length / (shape[0] ?? 1);
  const moved = new Float32Array(values.length);
  order.forEach((row, index) => moved.set(values.subarray(row * width, (row + 1) * width), index * width));
  return { shape, values: moved };
}

/** Each element computed with `computed`, whose second argument is taken from the vector, along the last axis. */
export function alongLastAxis(
  { shape, values }: NumberArray,
  vector: Float32Array,
  computed: (element: number, other: number) => number,
): NumberArray {
  return { shape, values: values.map((value, index) => computed(value, vector[index % vector.length] ?? 0)) };
}

function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  return strides;
}
