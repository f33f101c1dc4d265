import type { AttributeSource } from '@atelier/onnx';
import type { Draw } from './draw.ts';
import { type Tensor64, tensor64 } from './tensor64.ts';

/** Examples of one operator, drawn at random. */
export interface GradientCase {
  readonly operator: string;
  /** What is special about these examples; absent where they are of the operator in general. */
  readonly about?: string;
  readonly example: (draw: Draw) => Example;
}

/** A node with inputs, and what it gives for them. */
export interface Example {
  readonly attributes?: Readonly<Record<string, AttributeSource>>;
  /** Null leaves an optional input out. */
  readonly inputs: readonly (Input | null)[];
  /** Null leaves an optional output out. Absent: one differentiable output. */
  readonly outputs?: readonly (Output | null)[];
  /** The operator sets in which the node means the same; absent: all. */
  readonly opsets?: readonly [lowest: number, highest: number];
  /** The output that is random, such as a mask: `forward` takes what onnxruntime gave for it as its last argument. */
  readonly random?: number;
  /** The outputs in float64 for the inputs that are there; whatever it is for outputs that are left out. */
  readonly forward: (...inputs: Tensor64[]) => readonly Tensor64[];
}

export interface Input {
  readonly values: Tensor64;
  readonly type: 'float32' | 'float64' | 'int64' | 'int32' | 'bool';
  /** The gradient is wanted by it; or it is only fed; or it is a constant of the graph. */
  readonly role: 'variable' | 'data' | 'constant';
}

/** A float32 value that the loss depends on, or a value that has no gradient, by its type. */
export type Output = 'differentiable' | 'float32' | 'bool' | 'int64';

export function variable(values: Tensor64): Input {
  return { values, type: 'float32', role: 'variable' };
}

export function data(values: Tensor64, type: Input['type'] = 'float32'): Input {
  return { values, type, role: 'data' };
}

export function constant(values: Tensor64, type: Input['type'] = 'float32'): Input {
  return { values, type, role: 'constant' };
}

/** A constant vector of whole numbers: axes, sizes. */
export function wholeNumbers(values: readonly number[]): Input {
  return constant(tensor64([values.length], values), 'int64');
}

/** A constant scalar. */
export function scalar(number: number, type: Input['type'] = 'float32'): Input {
  return constant(tensor64([], [number]), type);
}
