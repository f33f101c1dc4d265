import { transposedElements } from '@atelier/onnx';

/** Row-major numbers with their shape. */
export interface NumberArray {
  shape: readonly number[];
  values: Float32Array;
}

/** Axis i of the result is axis `permutation[i]` of the source. */
export function transposed({ shape, values }: NumberArray, permutation: readonly number[]): NumberArray {
  return transposedElements(values, shape, permutation);
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
