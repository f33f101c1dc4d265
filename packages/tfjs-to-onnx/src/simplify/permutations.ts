import type { Dimension } from '@atelier/onnx';

/** Axis `i` of a transposed value is axis `permutation[i]` of its source, as in ONNX's Transpose. */
export type Permutation = readonly number[];

export function isIdentity(permutation: Permutation): boolean {
  return permutation.every((axis, index) => axis === index);
}

/** First `first`, then `second`. */
export function composed(first: Permutation, second: Permutation): number[] {
  return second.map((axis) => first[axis] ?? 0);
}

export function inverse(permutation: Permutation): number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}

export function isSame(first: Permutation, second: Permutation): boolean {
  return first.length === second.length && first.every((axis, index) => axis === second[index]);
}

/** What is left of a permutation when the axes `dropped` of its result go. */
export function withoutAxes(permutation: Permutation, dropped: ReadonlySet<number>): number[] {
  const kept = permutation.filter((_, axis) => !dropped.has(axis));
  const sources = [...kept].sort((a, b) => a - b);
  return kept.map((axis) => sources.indexOf(axis));
}

/** Whether the elements of a source of this shape lie as they did when it is transposed: only axes of size 1 move. */
export function keepsOrder(permutation: Permutation, shape: readonly Dimension[]): boolean {
  const wide = permutation.filter((axis) => shape[axis] !== 1);
  return wide.every((axis, index) => index === 0 || axis > (wide[index - 1] ?? 0));
}
