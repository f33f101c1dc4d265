/** Typed arrays as the little-endian bytes of ONNX's `raw_data`, on machines of either byte order. */

/** The types with a typed array of their own; 16-bit floats are read and written as their bits. */
interface Arrays {
  float32: Float32Array;
  float64: Float64Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
}
export type ArrayType = keyof Arrays;
export type ArrayOf<T extends ArrayType> = Arrays[T];
type TypedArray = ArrayOf<ArrayType>;

interface ArrayConstructor<T extends TypedArray> {
  readonly BYTES_PER_ELEMENT: number;
  new (source: number | ArrayBuffer): T;
}
const ARRAYS: { [T in ArrayType]: ArrayConstructor<Arrays[T]> } = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A copy of the elements as bytes. */
export function littleEndianBytes(values: TypedArray): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
  return HOST_IS_LITTLE_ENDIAN ? bytes : reversed(bytes, values.BYTES_PER_ELEMENT);
}

/** The elements' own memory as bytes; a copy where the machine has the other byte order. */
export function littleEndianView(values: TypedArray): Uint8Array {
  if (!HOST_IS_LITTLE_ENDIAN) return littleEndianBytes(values);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The elements that `bytes` hold, copied: the bytes may start anywhere in their buffer. */
export function arrayFromBytes<T extends ArrayType>(type: T, bytes: Uint8Array): ArrayOf<T> {
  const copy = new Uint8Array(bytes); // slice() of a Node Buffer would be a view
  const ordered = HOST_IS_LITTLE_ENDIAN ? copy : reversed(copy, ARRAYS[type].BYTES_PER_ELEMENT);
  return new ARRAYS[type](ordered.buffer);
}

/** Elements as the typed array of `type`. An integer that the type cannot hold is a `RangeError`. */
export function arrayFromNumbers<T extends ArrayType>(type: T, values: readonly (number | bigint)[]): ArrayOf<T> {
  const Elements: new (length: number) => TypedArray = ARRAYS[type];
  const array = new Elements(values.length);
  const isFloat = array instanceof Float32Array || array instanceof Float64Array;
  const convert = array instanceof BigInt64Array || array instanceof BigUint64Array ? BigInt : Number;
  values.forEach((value, index) => {
    const converted = convert(value);
    array[index] = converted;
    if (isFloat || array[index] === converted) return;
    throw new RangeError(`Element ${index} is ${value}, which ${type} cannot hold.`);
  });
  return array as ArrayOf<T>;
}

/** Reverses the bytes of each element in place. */
function reversed(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse();
  return bytes;
}
