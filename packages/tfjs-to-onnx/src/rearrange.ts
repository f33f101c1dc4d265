import { byteCount, type OnnxTensor } from '@atelier/onnx';
import type { WeightLayout } from './rule.ts';

/** `source` with its axes in another order and then in another shape; its own memory where neither changes anything. */
export function rearranged(source: OnnxTensor, { permutation, shape }: WeightLayout): OnnxTensor {
  const turned = permutation ? permuted(source, permutation) : source;
  return shape ? { ...turned, shape } : turned;
}

/**
 * A tensor of 1, 2 or 4 bytes an element with its axes in another order: axis `i` of the result is axis `permutation[i]` of
 * the source (ONNX, Transpose).
 */
export function permuted(source: OnnxTensor, permutation: readonly number[]): OnnxTensor {
  if (permutation.every((axis, index) => axis === index)) return source;
  const strides = stridesOf(source.shape);
  const shape = permutation.map((axis) => source.shape[axis] ?? 1);
  const steps = permutation.map((axis) => strides[axis] ?? 0);
  const result = gathered(elementsOf(source), shape, steps);
  return { ...source, shape, data: new Uint8Array(result.buffer, result.byteOffset, result.byteLength) };
}

type Elements = Uint8Array | Uint16Array | Uint32Array;

/** The elements as whole numbers of their size: what they stand for does not matter where they only move. */
function elementsOf({ type, shape, data }: OnnxTensor): Elements {
  const size = byteCount(type, [1]);
  const count = byteCount(type, shape) / size;
  const isAligned = data.byteOffset % size === 0;
  const { buffer, byteOffset } = isAligned ? data : data.slice();
  if (size === 1) return new Uint8Array(buffer, byteOffset, count);
  return size === 2 ? new Uint16Array(buffer, byteOffset, count) : new Uint32Array(buffer, byteOffset, count);
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}

/** Reads `values` in the order of `shape`, where a step along each axis is so many elements of `values`. */
function gathered(values: Elements, shape: readonly number[], steps: readonly number[]): Elements {
  const result = values.slice();
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
