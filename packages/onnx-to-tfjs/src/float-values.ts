import { type DataType, type OnnxTensor, valuesOf } from '@atelier/onnx';

/** Float types whose every number is a float32 too, and whole numbers, which are exact up to 2²⁴. */
const READERS: Partial<Record<DataType, (tensor: OnnxTensor) => Float32Array>> = {
  float32: (tensor) => valuesOf(tensor, 'float32'),
  float16: (tensor) => Float32Array.from(valuesOf(tensor, 'float16'), fromFloat16),
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

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
