import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float32Values } from '@atelier/onnx';
import { convert, type WeightSpec } from '@atelier/tfjs-to-onnx';
import { sequential } from './artifacts.ts';

const { modelTopology } = sequential([2], [['Dense', { name: 'd', units: 1, use_bias: false }]]);
const kernel: WeightSpec = { name: 'd/kernel', shape: [2, 1], dtype: 'float32' };

function kernelValues(weightSpecs: WeightSpec[], weightData: Uint8Array | ArrayBuffer | ArrayBuffer[]): number[] {
  const { model } = convert({ modelTopology, weightSpecs, weightData });
  const [tensor] = model.graph.initializers;
  assert.equal(tensor?.name, 'd/kernel');
  return [...float32Values(tensor)];
}

const floatBytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

test('weights are matched by name, whatever their order', () => {
  const other: WeightSpec = { name: 'elsewhere/kernel', shape: [1], dtype: 'float32' };
  assert.deepEqual(kernelValues([other, kernel], floatBytes(9, 1, 2)), [1, 2]);
});

test('weight data may be bytes, a buffer or a list of buffers, split anywhere', () => {
  const bytes = floatBytes(1, 2);
  assert.deepEqual(kernelValues([kernel], bytes), [1, 2]);
  assert.deepEqual(kernelValues([kernel], bytes.slice().buffer), [1, 2]);
  assert.deepEqual(kernelValues([kernel], [bytes.slice(0, 3).buffer, bytes.slice(3).buffer]), [1, 2]);
});

for (const name of ['net/d/kernel', 'd/kernel:0', 'd/cell/kernel', 'net/d/cell/kernel:0']) {
  test(`weight "${name}" is found as d/kernel`, () => {
    assert.deepEqual(kernelValues([{ ...kernel, name }], floatBytes(1, 2)), [1, 2]);
  });
}

test('an exact name goes before a similar one', () => {
  assert.deepEqual(kernelValues([{ ...kernel, name: 'net/d/kernel' }, kernel], floatBytes(8, 9, 1, 2)), [1, 2]);
});

test('uint8 and uint16 weights are value times scale plus minimum, rounded to float32', () => {
  const quantised = (dtype: string): WeightSpec => ({ ...kernel, quantization: { dtype, scale: 0.1, min: -1 } });
  assert.deepEqual(kernelValues([quantised('uint8')], Uint8Array.of(0, 255)), [-1, Math.fround(255 * 0.1 - 1)]);
  assert.deepEqual(kernelValues([quantised('uint16')], Uint8Array.of(1, 0, 0, 1)), [
    Math.fround(0.1 - 1),
    Math.fround(25.6 - 1),
  ]);
});

test('float16 weights are widened, with subnormal numbers and infinities', () => {
  const half: WeightSpec = { ...kernel, quantization: { dtype: 'float16' } };
  const values = (a: number, b: number) => kernelValues([half], Uint8Array.of(a & 255, a >> 8, b & 255, b >> 8));
  assert.deepEqual(values(0x3c00, 0xc000), [1, -2]);
  assert.deepEqual(values(0x0001, 0x83ff), [2 ** -24, -1023 * 2 ** -24]);
  assert.deepEqual(values(0x7bff, 0xfc00), [65_504, -Infinity]);
  assert.deepEqual(values(0x7e00, 0x8000), [NaN, -0]);
});

test('weights that only the optimiser needs are passed over, strings and integers among them', () => {
  const optimizer = { group: 'optimizer', shape: [2] };
  const specs: WeightSpec[] = [
    { ...optimizer, name: 'labels', dtype: 'string' },
    { ...optimizer, name: 'iterations', dtype: 'int32' },
    { ...optimizer, name: 'd/kernel', dtype: 'float32' },
    { ...optimizer, name: 'done', dtype: 'bool' },
    kernel,
  ];
  const bytes = Uint8Array.of(
    1,
    0,
    0,
    0,
    65,
    0,
    0,
    0,
    0,
    ...new Uint8Array(8),
    ...floatBytes(7, 7),
    0,
    1,
    ...floatBytes(1, 2),
  );
  assert.deepEqual(kernelValues(specs, bytes), [1, 2]);
  assert.deepEqual(convert({ modelTopology, weightSpecs: specs, weightData: bytes }).summary.warnings, []);
});
