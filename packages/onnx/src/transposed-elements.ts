/** What transposition moves as it is, whatever the elements stand for. */
type Movable = Float32Array | Uint8Array | Uint16Array | Uint32Array;

/**
 * Row-major elements of `shape` with their axes in another order: axis `i` of the result is axis `permutation[i]` of the source
 * (ONNX, Transpose). Always a copy.
 */
export function transposedElements<Elements extends Movable>(
  values: Elements,
  shape: readonly number[],
  permutation: readonly number[],
): { shape: number[]; values: Elements } {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const result = permutation.map((axis) => shape[axis] ?? 1);
  const steps = permutation.map((axis) => strides[axis] ?? 0);
  return { shape: result, values: gathered(values, result, steps) };
}

/** Reads `values` in the order of `shape`, where a step along each axis is so many elements of `values`. */
function gathered<Elements extends Movable>(
  values: Elements,
  shape: readonly number[],
  steps: readonly number[],
): Elements {
  const result = values.slice() as Elements;
  const inner = shape.at(-1) ?? 1;
  const innerStep = steps.at(-1) ?? 0;
  const place = new Array<number>(Math.max(0, shape.length - 1)).fill(0);
  let from = 0;
  for (let to = 0; to < result.length;) {
    for (let index = 0, at = from; index < inner; index++, at += innerStep) result[to++] = values[at] ?? 0;
    // Counts up the outer axes, the last one fastest.
    for (let axis = place.length - 1; axis >= 0; axis--) {
      const next = (place[axis] ?? 0) + 1;
      from += steps[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        place[axis] = next;
        break;
      }
      from -= next * (steps[axis] ?? 0);
      place[axis] = 0;
    }
  }
  return result;
}
