/** A tensor of no runtime: elements row-major, bool as 0 and 1. */
export interface TensorValues {
  type: ElementType;
  shape: readonly number[];
  data: Elements;
}

/** What models take and give; ONNX and TensorFlow.js both call them so. */
export const ELEMENT_TYPES = ['float32', 'float64', 'int32', 'int64', 'uint8', 'bool'] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];
export type Elements = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** By the name that the model gives them, in the model's order. */
export type NamedTensors = Readonly<Record<string, TensorValues>>;

export function isElementType(type: string): type is ElementType {
  return (ELEMENT_TYPES as readonly string[]).includes(type);
}
