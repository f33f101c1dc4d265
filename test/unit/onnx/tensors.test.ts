import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boolScalar,
  type DataType,
  decodeModel,
  encodeModel,
  float32Scalar,
  float32Tensor,
  float32Values,
  int64Scalar,
  int64Tensor,
  int64Values,
  model,
  type OnnxTensor,
  stringTensor,
  stringValues,
  tensor,
  valuesOf,
} from '@atelier/onnx';
import { type Field, GRAPH, message, MODEL, packed, TENSOR } from './wire.ts';

function readInitializer(...fields: Field[]): OnnxTensor {
  const bytes = message([MODEL.graph, message([GRAPH.initializer, message([TENSOR.name, 'w'], ...fields)])]);
  const [found] = decodeModel(bytes, 'memory').graph.initializers;
  assert.ok(found);
  return found;
}

const modelOf = (initializer: OnnxTensor) =>
  model({ name: 'g', nodes: [], inputs: [], outputs: [], initializers: [initializer], values: [] });

test('elements are little-endian bytes whatever the machine', () => {
  assert.deepEqual([...float32Tensor('w', [1], [1]).data], [0, 0, 128, 63]);
  assert.deepEqual([...int64Tensor('n', [1], [-2]).data], [254, 255, 255, 255, 255, 255, 255, 255]);
  assert.deepEqual([...tensor('u', 'uint16', [2], [1, 258]).data], [1, 0, 2, 1]);
});

test('values come back from bytes that start at any address', () => {
  const { data } = float32Tensor('w', [3], [0.1, -2, 1e30]);
  for (const offset of [0, 1, 2, 3]) {
    const buffer = new Uint8Array(offset + data.length);
    buffer.set(data, offset);
    const values = float32Values({ name: 'w', type: 'float32', shape: [3], data: buffer.subarray(offset) });
    assert.deepEqual(values, Float32Array.of(0.1, -2, 1e30));
  }
});

test('a Node Buffer, which is a window on a shared pool, gives the same values as plain bytes', () => {
  const { data } = float32Tensor('w', [2], [3, -4]);
  assert.deepEqual(
    float32Values({ name: 'w', type: 'float32', shape: [2], data: Buffer.from(data) }),
    Float32Array.of(3, -4),
  );
  const file = Buffer.from(encodeModel(modelOf(float32Tensor('w', [2], [3, -4]))));
  const [read] = decodeModel(file, 'memory').graph.initializers;
  assert.deepEqual(read, float32Tensor('w', [2], [3, -4]));
});

test('a tensor keeps a copy, so changing the values it was made from does not change it', () => {
  const values = Float32Array.of(1, 2);
  const made = float32Tensor('w', [2], values);
  values[0] = 9;
  assert.deepEqual(float32Values(made), Float32Array.of(1, 2));
});

test('scalars have no dimensions', () => {
  assert.deepEqual(float32Scalar('s', 0.5).shape, []);
  assert.deepEqual(int64Values(int64Scalar('s', 2n ** 60n)), BigInt64Array.of(2n ** 60n));
  assert.deepEqual([...boolScalar('s', true).data], [1]);
  assert.deepEqual(stringValues(stringTensor('s', [], ['é'])), ['é']);
});

test('as many values as the shape has elements, or a RangeError', () => {
  assert.throws(() => float32Tensor('w', [2, 2], [1, 2, 3]), /3 values for tensor "w" of shape \[2, 2\]/);
  assert.throws(() => stringTensor('t', [1], []), /0 values for tensor "t"/);
  assert.throws(() => float32Tensor('w', [-1], []), RangeError);
  assert.throws(() => float32Tensor('w', [0.5], []), RangeError);
});

test('an integer that the type cannot hold is a RangeError', () => {
  assert.throws(() => tensor('w', 'uint8', [2], [0, 256]), /Element 1 is 256, which uint8 cannot hold/);
  assert.throws(() => tensor('w', 'int32', [1], [0.5]), /Element 0 is 0.5/);
  assert.throws(() => int64Tensor('w', [1], [2n ** 63n]), RangeError);
  assert.throws(() => int64Tensor('w', [1], [0.5]), RangeError);
});

test('values are read as the type that the tensor has, from the file that the tensor is in', () => {
  assert.throws(() => float32Values(int64Scalar('n', 1)), /Tensor "n" is of int64; expected float32/);
  assert.throws(() => stringValues(int64Scalar('n', 1)), /expected string/);
  const external = { ...float32Scalar('w', 1), external: { location: 'weights.bin' } };
  assert.throws(() => float32Values(external), /in the file weights\.bin/);
  assert.throws(() => float32Values({ ...float32Scalar('w', 1), shape: [2] }), /has 4 bytes; its shape takes 8/);
});

test('a tensor whose bytes do not fit its shape is not written', () => {
  const wrong = { ...float32Scalar('w', 1), shape: [2] };
  assert.throws(() => encodeModel(modelOf(wrong)), /Tensor "w" has 4 bytes; float32 of shape \[2\] takes 8/);
});

const typed: [DataType, code: bigint, field: number, content: Uint8Array, shape: number[], expected: number[]][] = [
  ['float32', 1n, TENSOR.floats, packed((w) => w.float(1).float(-2)), [2], [0, 0, 128, 63, 0, 0, 0, 192]],
  ['uint8', 2n, TENSOR.int32s, packed((w) => w.int32(255).int32(1)), [2], [255, 1]],
  ['int8', 3n, TENSOR.int32s, packed((w) => w.int32(-1).int32(1)), [2], [255, 1]],
  ['uint16', 4n, TENSOR.int32s, packed((w) => w.int32(65_535)), [1], [255, 255]],
  ['int16', 5n, TENSOR.int32s, packed((w) => w.int32(-2)), [1], [254, 255]],
  ['int32', 6n, TENSOR.int32s, packed((w) => w.int32(-2)), [1], [254, 255, 255, 255]],
  ['int64', 7n, TENSOR.int64s, packed((w) => w.int64(-2n)), [1], [254, 255, 255, 255, 255, 255, 255, 255]],
  ['bool', 9n, TENSOR.int32s, packed((w) => w.int32(1)), [1], [1]],
  ['float16', 10n, TENSOR.int32s, packed((w) => w.int32(0xbc00)), [1], [0, 0xbc]],
  ['float64', 11n, TENSOR.doubles, packed((w) => w.double(1)), [1], [0, 0, 0, 0, 0, 0, 240, 63]],
  ['uint32', 12n, TENSOR.uint64s, packed((w) => w.uint64(2 ** 32 - 1)), [1], [255, 255, 255, 255]],
  ['uint64', 13n, TENSOR.uint64s, packed((w) => w.uint64(2n ** 64n - 1n)), [1], new Array<number>(8).fill(255)],
  ['complex64', 14n, TENSOR.floats, packed((w) => w.float(0).float(1)), [1], [0, 0, 0, 0, 0, 0, 128, 63]],
  ['bfloat16', 16n, TENSOR.int32s, packed((w) => w.int32(0x3f80)), [1], [128, 63]],
  ['float8e4m3fn', 17n, TENSOR.int32s, packed((w) => w.int32(0x7e)), [1], [0x7e]],
  ['uint4', 21n, TENSOR.int32s, packed((w) => w.int32(0x21).int32(0x03)), [3], [0x21, 0x03]],
  ['float4e2m1', 23n, TENSOR.int32s, packed((w) => w.int32(0x21)), [2], [0x21]],
  ['int2', 26n, TENSOR.int32s, packed((w) => w.int32(0x1b)), [4], [0x1b]],
];

for (const [type, code, field, content, shape, expected] of typed) {
  test(`${type} elements in their typed field become raw bytes`, () => {
    const dims = shape.map((size): Field => [TENSOR.dims, BigInt(size)]);
    const read = readInitializer([TENSOR.type, code], ...dims, [field, content]);
    assert.equal(read.type, type);
    assert.deepEqual(read.shape, shape);
    assert.deepEqual([...read.data], expected);
    const [again] = decodeModel(encodeModel(modelOf(read)), 'memory').graph.initializers;
    assert.deepEqual(again, { ...read, data: Uint8Array.from(expected) });
  });
}

test('the elements of a tensor that was read are views of the file, not copies', () => {
  const bytes = encodeModel(modelOf(float32Tensor('w', [2], [1, 2])));
  const [read] = decodeModel(bytes, 'memory').graph.initializers;
  assert.equal(read?.data.buffer, bytes.buffer);
  assert.deepEqual(valuesOf(read, 'float32'), Float32Array.of(1, 2));
});
