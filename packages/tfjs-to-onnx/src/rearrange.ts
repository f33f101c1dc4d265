import { float32Tensor, float32Values, type OnnxTensor } from '@atelier/onnx';
import type { WeightLayout } from './rule.ts';

/** `source` with its axes in another order and then in another shape; its own memory where neither changes anything. */
export function rearranged(source: OnnxTensor, { permutation, shape }: WeightLayout): OnnxTensor {
  const turned = permutation ? permuted(source, permutation) : source;
  return shape ? { ...turned, shape } : turned;
}

/** A float32 tensor with its axes in another order: axis `i` of the result is axis `permutation[i]` of the source. */
export function permuted(source: OnnxTensor, permutation: readonly number[]): OnnxTensor {
  if (permutation.every((axis, index) => axis === index)) return source;
  const strides = stridesOf(source.shape);
  const shape = permutation.map((axis) => source.shape[axis] ?? 1);
  const steps = permutation.map((axis) => strides[axis] ?? 0);
  return float32Tensor(source.name, shape, gathered(float32Values(source), shape, steps));
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

/** Reads `values` in the order of `shape`, where a step along each axis is so many elements of `values`. */
function gathered(values: Float32Array, shape: readonly number[], steps: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
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
