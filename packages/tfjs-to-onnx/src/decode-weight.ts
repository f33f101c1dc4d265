import { widenedFloat16 } from '@atelier/onnx';
import type { CheckedWeightSpec, Quantization } from './artifacts.ts';

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * The numbers that TensorFlow.js would load, rounded to float32 as it does: quantised ones are value·scale + min; integers
 * among those are rounded first, halves up. `bytes` are little-endian, of a weight of float32, int32 or bool.
 * https://github.com/tensorflow/tfjs/blob/tfjs-v4.22.0/tfjs-core/src/io/io_utils.ts
 */
export function decodedFloats({ dtype, quantization }: CheckedWeightSpec, bytes: Uint8Array): Float32Array {
  if (quantization) return dequantised(quantization, dtype === 'int32', bytes);
  switch (dtype) {
    case 'int32':
      return Float32Array.from({ length: bytes.length / 4 }, (_, index) => int32At(bytes, index * 4));
    case 'bool':
      return Float32Array.from(bytes, (byte) => (byte === 0 ? 0 : 1));
    default:
      return float32Elements(bytes);
  }
}

function dequantised({ dtype, scale, min }: Quantization, isInteger: boolean, bytes: Uint8Array): Float32Array {
  if (dtype === 'float16') return widenedFloat16(uint16Elements(bytes));
  const stored = dtype === 'uint8' ? bytes : uint16Elements(bytes);
  const values = new Float32Array(stored.length);
  for (let index = 0; index < stored.length; index++) {
    const value = (stored[index] ?? 0) * scale + min;
    values[index] = isInteger ? Math.round(value) : value;
  }
  return values;
}

/** A view where the machine and the alignment allow it. */
function uint16Elements(bytes: Uint8Array): Uint16Array {
  const count = bytes.length / 2;
  if (HOST_IS_LITTLE_ENDIAN && bytes.byteOffset % 2 === 0)
    return new Uint16Array(bytes.buffer, bytes.byteOffset, count);
  return Uint16Array.from({ length: count }, (_, index) => (bytes[2 * index] ?? 0) + 256 * (bytes[2 * index + 1] ?? 0));
}

function float32Elements(bytes: Uint8Array): Float32Array {
  const count = bytes.length / 4;
  if (HOST_IS_LITTLE_ENDIAN && bytes.byteOffset % 4 === 0)
    return new Float32Array(bytes.buffer, bytes.byteOffset, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: count }, (_, index) => view.getFloat32(4 * index, true));
}

function int32At(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(offset, true);
}
