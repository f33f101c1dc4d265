import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int, ints } from '@atelier/onnx';
import { convert } from '@atelier/onnx-to-tfjs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { loaded } from '../support/onnx-to-tfjs-parity.ts';
import { TorchExport } from '../support/torch-export.ts';
import { uniform } from '../../scripts/src/verification/uniform.ts';

test('a converted network trains: every weight moves, and the loss falls', async () => {
  await tf.setBackend('cpu');
  const torch = new TorchExport(1);
  const block = (index: number, input: string, [inputs, outputs, groups]: readonly [number, number, number]) => {
    const convolved = torch.conv(`conv${index}`, input, [inputs, outputs, 3, 3], { padding: 1, stride: 2, groups });
    return torch.op('Relu', `relu${index}`, [torch.batchNorm(`bn${index}`, convolved, outputs)]);
  };
  const shallow = block(1, 'x', [1, 4, 1]);
  const sum = torch.op('Add', '', [block(2, shallow, [4, 4, 4]), block(3, shallow, [4, 4, 2])]);
  const pooled = torch.op('MaxPool', 'pool', [sum], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
  const logits = torch.linear('fc', torch.op('Flatten', 'flatten', [pooled], { axis: int(1) }), [4 * 4, 3]);
  const network = await loaded(convert(torch.model({ name: 'x', shape: [1, 16, 16] }, logits)).artifacts);

  const next = uniform(2);
  const images = tf.tensor4d(Float32Array.from({ length: 12 * 256 }, next), [12, 16, 16, 1]);
  const labels = tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], 'int32'), 3);
  const before = network.trainableWeights.map((weight) => weight.read().dataSync().slice());
  const loss = (targets: tf.Tensor, predicted: tf.Tensor) =>
    tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(targets, predicted);
  network.compile({ optimizer: tf.train.adam(0.01), loss });
  const { history } = await network.fit(images, labels, { epochs: 8, batchSize: 12, verbose: 0 });
  const losses = (history['loss'] ?? []).map(Number);
  assert.ok((losses.at(-1) ?? Infinity) < 0.8 * (losses[0] ?? 0), losses.join(', '));
  network.trainableWeights.forEach((weight, index) => {
    assert.notDeepEqual(weight.read().dataSync(), before[index], weight.originalName);
  });
});
