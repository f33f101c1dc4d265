import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeModel, float32Tensor, model, node, value } from '@atelier/onnx';
import { proveDevice } from '@atelier/trainer';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** A session in which nothing may run on the processor. */
const STRICT = {
  executionProviders: ['webgpu'],
  extra: { session: { disable_cpu_ep_fallback: '1' } },
} as const;

describe("onnxruntime's WebGPU provider", () => {
  test('computes the product that proves a device', async () => {
    await proveDevice('webgpu');
  });

  test('computes x·w + b where nothing may run on the processor', async () => {
    const product = model({
      name: 'product',
      nodes: [node('Gemm', ['x', 'w', 'b'], 'y')],
      inputs: [value('x', 'float32', ['rows', 3])],
      outputs: [value('y', 'float32', ['rows', 2])],
      initializers: [
        float32Tensor('w', [3, 2], new Float32Array([1, 2, 3, 4, 5, 6])),
        float32Tensor('b', [2], new Float32Array([10, 20])),
      ],
      values: [],
    });
    const session = await InferenceSession.create(encodeModel(product), STRICT);
    const { y } = await session.run({ x: new Tensor('float32', new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]) });
    assert.deepEqual(y?.dims, [2, 2]);
    assert.deepEqual(y.data, new Float32Array([32, 48, 59, 84]));
    await session.release();
  });

  test('keeps state on the device from run to run, and gives it back through a graph that copies it', async () => {
    const decay = model({
      name: 'decay',
      nodes: [node('Mul', ['w', 'rate'], 'change'), node('Sub', ['w', 'change'], 'w/next')],
      inputs: [value('w', 'float32', [4]), value('rate', 'float32', [])],
      outputs: [value('w/next', 'float32', [4])],
      initializers: [],
      values: [],
    });
    const session = await InferenceSession.create(encodeModel(decay), {
      ...STRICT,
      preferredOutputLocation: { 'w/next': 'gpu-buffer' },
    });
    const rate = new Tensor('float32', new Float32Array([0.5]), []);
    let w: Tensor = new Tensor('float32', new Float32Array([1, 2, 3, 4]), [4]);
    for (let step = 0; step < 3; step++) {
      const results = await session.run({ w, rate });
      w = results['w/next'] ?? assert.fail();
      assert.equal(w.location, 'gpu-buffer');
    }
    // Not w.getData(): in onnxruntime-node 1.30 that ends the process.
    const copy = model({
      name: 'copy',
      nodes: [node('Identity', ['w'], 'values')],
      inputs: [value('w', 'float32', [4])],
      outputs: [value('values', 'float32', [4])],
      initializers: [],
      values: [],
    });
    const reader = await InferenceSession.create(encodeModel(copy), STRICT);
    const { values } = await reader.run({ w });
    assert.deepEqual(values?.data, new Float32Array([0.125, 0.25, 0.375, 0.5]));
    for (const each of [reader, session]) await each.release();
  });
});
