import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boolScalar,
  encodeModel,
  float32Tensor,
  graphAttribute,
  int,
  int64Scalar,
  model,
  node,
  type OnnxModel,
  tensor,
  value,
} from '@atelier/onnx';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

async function run(source: OnnxModel, x: InstanceType<typeof Tensor>) {
  const session = await InferenceSession.create(encodeModel(source), { executionProviders: ['cpu'] });
  try {
    return (await session.run({ x }))['y'];
  } finally {
    await session.release();
  }
}

test('onnxruntime runs what encodeModel writes', async () => {
  const source = model({
    name: 'affine',
    nodes: [node('Gemm', ['x', 'w', 'b'], 'y', { transB: int(1) })],
    inputs: [value('x', 'float32', ['batch', 2])],
    outputs: [value('y', 'float32', ['batch', 3])],
    initializers: [float32Tensor('w', [3, 2], [1, 0, 0, 1, 1, 1]), float32Tensor('b', [3], [0, 0, 10])],
    values: [],
  });
  const y = await run(source, new Tensor('float32', Float32Array.of(2, 5), [1, 2]));
  assert.deepEqual(y?.dims, [1, 3]);
  assert.deepEqual(y.data, Float32Array.of(2, 5, 17));
});

test('onnxruntime runs a Loop whose body is a graph attribute', async () => {
  const body = {
    name: 'doubling',
    nodes: [node('Identity', ['go_on'], 'still'), node('Add', ['state', 'state'], 'doubled')],
    inputs: [value('step', 'int64', []), value('go_on', 'bool', []), value('state', 'float32', ['n'])],
    outputs: [value('still', 'bool', []), value('doubled', 'float32', ['n'])],
    initializers: [],
    values: [],
  };
  const source = model({
    name: 'loop',
    nodes: [node('Loop', ['steps', 'yes', 'x'], 'y', { body: graphAttribute(body) })],
    inputs: [value('x', 'float32', ['n'])],
    outputs: [value('y', 'float32', ['n'])],
    initializers: [int64Scalar('steps', 5), boolScalar('yes', true)],
    values: [],
  });
  const y = await run(source, new Tensor('float32', Float32Array.of(1, 3), [2]));
  assert.deepEqual(y?.data, Float32Array.of(32, 96));
});

test('onnxruntime reads packed 4-bit elements in the order that we write', async () => {
  const source = model(
    {
      name: 'dequantise',
      nodes: [node('DequantizeLinear', ['w', 'scale'], 'steps'), node('Add', ['x', 'steps'], 'y')],
      inputs: [value('x', 'float32', [3])],
      outputs: [value('y', 'float32', [3])],
      initializers: [
        { name: 'w', type: 'uint4', shape: [3], data: Uint8Array.of(0x21, 0x0f) },
        tensor('scale', 'float32', [], [0.5]),
      ],
      values: [],
    },
    { opsetImports: [{ domain: '', version: 21 }], irVersion: 10 },
  );
  const y = await run(source, new Tensor('float32', new Float32Array(3), [3]));
  assert.deepEqual(y?.data, Float32Array.of(0.5, 1, 7.5));
});
