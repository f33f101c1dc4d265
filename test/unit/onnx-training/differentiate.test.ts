import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeModel, model, node, type OnnxGraph, value } from '@atelier/onnx';
import { differentiate, GraphBuilder } from '@atelier/onnx-training';
import * as ort from 'onnxruntime-node';

describe('differentiation', () => {
  test('gives the gradients of a dense layer, which are known in closed form', async () => {
    const forward: OnnxGraph = {
      name: 'dense',
      nodes: [
        node('Gemm', ['x', 'kernel', 'bias'], 'y'),
        node('Mul', ['y', 'y'], 'squares'),
        node('ReduceSum', ['squares'], 'loss', { keepdims: { type: 'int', value: 0 } }),
      ],
      inputs: [value('x', 'float32', ['batch', 2]), value('kernel', 'float32', [2, 3]), value('bias', 'float32', [3])],
      outputs: [],
      initializers: [],
      values: [],
    };
    const { builder, gradients } = differentiate(forward, {
      loss: 'loss',
      withRespectTo: ['kernel', 'bias'],
      sizes: { batch: 1 },
    });
    const graph = builder.graph('dense', ['loss', ...gradients.values()]);
    const session = await ort.InferenceSession.create(encodeModel(model(graph)));
    const outputs = await session.run({
      x: new ort.Tensor('float32', [1, 2], [1, 2]),
      kernel: new ort.Tensor('float32', [1, 0, 2, 0, 1, 1], [2, 3]),
      bias: new ort.Tensor('float32', [0, 1, 0], [3]),
    });
    // y = [1, 3, 4]; d/dy Σy² = 2y; by the kernel xᵀ·2y, by the bias 2y.
    const values = (name: string) => [...(outputs[gradients.get(name) ?? '']?.data as Float32Array)];
    assert.deepEqual(values('bias'), [2, 6, 8]);
    assert.deepEqual(values('kernel'), [2, 6, 8, 4, 12, 16]);
  });

  test('refuses an operator without a rule, and names it, its node and what there is', () => {
    const builder = new GraphBuilder();
    builder.input('x', 'float32', [2]);
    assert.throws(() => builder.addNode(node('Sin', ['x'], 'waves')), {
      code: 'not-differentiable',
      message:
        /^There is no rule for Sin \(node Sin "waves"\); supported: Abs, Add, .*Where; where no gradient is to flow, also And, .*Sign\.$/,
    });
  });
});
