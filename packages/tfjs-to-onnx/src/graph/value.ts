import type { DataType, Dimension, ValueFacts } from '@atelier/onnx';

/** A tensor that flows through the graph. Rank is always known, sizes as far as the file says them. */
export interface Value extends ValueFacts {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly Dimension[];
}

export function rankOf({ shape }: Value): number {
  return shape.length;
}

/** The size of the last axis; undefined when it is not known. */
export function lastSize({ shape }: Value): number | undefined {
  const size = shape.at(-1);
  return typeof size === 'number' ? size : undefined;
}

export function isKnownShape(shape: readonly Dimension[]): shape is readonly number[] {
  return shape.every((size) => typeof size === 'number');
}

export function shownShape(shape: readonly Dimension[]): string {
  return `[${shape.map((size) => size ?? '?').join(', ')}]`;
}

/** Moves the channels, which TensorFlow.js has on the last axis, behind the batch, where ONNX has them. */
export function channelsToFront(rank: number): number[] {
  return [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 1)];
}

/** The way back: channels from behind the batch to the last axis. */
export function channelsToBack(rank: number): number[] {
  return [0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2), 1];
}
