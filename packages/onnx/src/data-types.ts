import { TensorProto_DataType as Code } from './generated/onnx_pb.js';

/** Bits of an element, the number that stands for the type in a file, and the typed field that may hold elements. */
interface DataTypeFacts {
  code: Code;
  bits: number;
  field: 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data' | 'stringData';
}

/** Every element type up to IR 13. The types below 8 bits are packed, the first element in the lowest bits. */
export const DATA_TYPES = {
  float32: { code: Code.FLOAT, bits: 32, field: 'floatData' },
  uint8: { code: Code.UINT8, bits: 8, field: 'int32Data' },
  int8: { code: Code.INT8, bits: 8, field: 'int32Data' },
  uint16: { code: Code.UINT16, bits: 16, field: 'int32Data' },
  int16: { code: Code.INT16, bits: 16, field: 'int32Data' },
  int32: { code: Code.INT32, bits: 32, field: 'int32Data' },
  int64: { code: Code.INT64, bits: 64, field: 'int64Data' },
  string: { code: Code.STRING, bits: 0, field: 'stringData' },
  bool: { code: Code.BOOL, bits: 8, field: 'int32Data' },
  float16: { code: Code.FLOAT16, bits: 16, field: 'int32Data' },
  float64: { code: Code.DOUBLE, bits: 64, field: 'doubleData' },
  uint32: { code: Code.UINT32, bits: 32, field: 'uint64Data' },
  uint64: { code: Code.UINT64, bits: 64, field: 'uint64Data' },
  complex64: { code: Code.COMPLEX64, bits: 64, field: 'floatData' },
  complex128: { code: Code.COMPLEX128, bits: 128, field: 'doubleData' },
  bfloat16: { code: Code.BFLOAT16, bits: 16, field: 'int32Data' },
  float8e4m3fn: { code: Code.FLOAT8E4M3FN, bits: 8, field: 'int32Data' },
  float8e4m3fnuz: { code: Code.FLOAT8E4M3FNUZ, bits: 8, field: 'int32Data' },
  float8e5m2: { code: Code.FLOAT8E5M2, bits: 8, field: 'int32Data' },
  float8e5m2fnuz: { code: Code.FLOAT8E5M2FNUZ, bits: 8, field: 'int32Data' },
  uint4: { code: Code.UINT4, bits: 4, field: 'int32Data' },
  int4: { code: Code.INT4, bits: 4, field: 'int32Data' },
  float4e2m1: { code: Code.FLOAT4E2M1, bits: 4, field: 'int32Data' },
  float8e8m0: { code: Code.FLOAT8E8M0, bits: 8, field: 'int32Data' },
  uint2: { code: Code.UINT2, bits: 2, field: 'int32Data' },
  int2: { code: Code.INT2, bits: 2, field: 'int32Data' },
} as const satisfies Record<string, DataTypeFacts>;

export type DataType = keyof typeof DATA_TYPES;

const BY_CODE = new Map<number, DataType>(
  Object.entries(DATA_TYPES).map(([type, { code }]) => [code, type as DataType]),
);

/** The type that a file means by `code`; undefined for 0 and for numbers of later versions. */
export function dataTypeOf(code: number): DataType | undefined {
  return BY_CODE.get(code);
}

/** The number that stands for `type` in a file, as Cast's attribute `to` needs it. */
export function dataTypeCode(type: DataType): number {
  return DATA_TYPES[type].code;
}

/** Elements of a tensor of `shape`; 1 for a scalar. A dimension that is no whole number of 0 or more is a `RangeError`. */
export function elementCount(shape: readonly number[]): number {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0) && Number.isSafeInteger(count)) {
    return count;
  }
  throw new RangeError(`Shape [${shape.join(', ')}]; expected whole numbers of 0 or more.`);
}

/** Bytes that the elements of a tensor take; 0 for strings, which are not stored as bytes in a row. */
export function byteCount(type: DataType, shape: readonly number[]): number {
  return Math.ceil((elementCount(shape) * DATA_TYPES[type].bits) / 8);
}
