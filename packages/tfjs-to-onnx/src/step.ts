import type { DataType, Dimension, OnnxNode, OnnxTensor } from '@atelier/onnx';
import type { Settings } from './settings.ts';

/** A tensor that flows through the graph. Rank is always known, sizes as far as the file says them. */
export interface Value {
  name: string;
  type: DataType;
  shape: readonly Dimension[];
}

/** What a rule knows of the layer that it converts. */
export interface Layer {
  className: string;
  name: string;
  settings: Settings;
  isKeras3: boolean;
  /** The name of the layer's output, and of what it computes on the way: `${output}/square`. */
  output: string;
  /** Weight `part` of the layer, float32 of this shape or an error. The rule lists it among its initializers. */
  weight(part: string, shape: readonly number[]): OnnxTensor;
  warn(message: string): void;
}

/** What one layer becomes: nodes in execution order, the constants they read, and the layer's output. */
export interface Step {
  nodes: readonly OnnxNode[];
  initializers: readonly OnnxTensor[];
  /** The input itself when the layer does nothing. */
  output: Value;
}

/** Converts one call of a layer with one input, which is float32. */
export type Rule = (layer: Layer, input: Value) => Step;

/** A layer that does nothing at inference. */
export const passThrough: Rule = (_layer, input) => ({ nodes: [], initializers: [], output: input });

/** The size of the last axis; undefined when it is not known. */
export function lastSize({ shape }: Value): number | undefined {
  const size = shape.at(-1);
  return typeof size === 'number' ? size : undefined;
}

export function shownShape(shape: readonly Dimension[]): string {
  return `[${shape.map((size) => size ?? '?').join(', ')}]`;
}
