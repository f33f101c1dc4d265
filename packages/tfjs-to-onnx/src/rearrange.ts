import { byteCount, type OnnxTensor, transposedElements } from '@atelier/onnx';
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
  const { shape, values } = transposedElements(elementsOf(source), source.shape, permutation);
  return { ...source, shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
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
