import type { TensorValues } from './tensor-values.ts';

/** `values` with axis i of the result being axis `permutation[i]` of the source. */
export function transposedValues({ type, shape, data }: TensorValues, permutation: readonly number[]): TensorValues {
  if (permutation.every((axis, index) => axis === index)) return { type, shape, data };
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const result = permutation.map((axis) => shape[axis] ?? 1);
  const moved = data.slice() as Float32Array;
  moved.forEach((_, index) => {
    let [rest, source] = [index, 0];
    for (let axis = result.length - 1; axis >= 0; axis--) {
      const size = result[axis] ?? 1;
      source += (rest % size) * (strides[permutation[axis] ?? 0] ?? 0);
      rest = Math.floor(rest / size);
    }
    moved[index] = (data as Float32Array)[source] ?? 0;
  });
  return { type, shape: result, data: moved };
}
