import { type DataType, type OnnxTensor, valuesOf, widenedFloat16 } from '@atelier/onnx';

/** Float types whose every number is a float32 too, and whole numbers, which are exact up to 2²⁴. */
const READERS: Partial<Record<DataType, (tensor: OnnxTensor) => Float32Array>> = {
  float32: (tensor) => valuesOf(tensor, 'float32'),
  float16: (tensor) => widenedFloat16(valuesOf(tensor, 'float16')),
  // The upper half of a float32.
  bfloat16: (tensor) =>
    new Float32Array(Uint32Array.from(valuesOf(tensor, 'bfloat16'), (bits) => bits * 2 ** 16).buffer),
  uint8: (tensor) => Float32Array.from(valuesOf(tensor, 'uint8')),
  int8: (tensor) => Float32Array.from(valuesOf(tensor, 'int8')),
  int32: (tensor) => Float32Array.from(valuesOf(tensor, 'int32')),
  int64: (tensor) => Float32Array.from(valuesOf(tensor, 'int64'), Number),
};

/** The elements of a constant as float32; undefined for a type that float32 cannot hold exactly. */
export function floatValues(tensor: OnnxTensor): Float32Array | undefined {
  const values = READERS[tensor.type]?.(tensor);
  const isWhole = tensor.type === 'int32' || tensor.type === 'int64';
  return isWhole && values?.some((value) => Math.abs(value) > 2 ** 24) ? undefined : values;
}
