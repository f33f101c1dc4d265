import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { convert } from '@atelier/tfjs-to-onnx';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { artifactsOf, compare, randomTensor } from '../support/layers-parity.ts';
import { functional } from '../unit/tfjs-to-onnx/artifacts.ts';

before(async () => {
  await tf.setBackend('cpu');
});

test('CategoryEncoding in every mode, of whole numbers and of fractions: ONNX gives what TensorFlow.js gives', async () => {
  const drawn = fc.record({
    mode: fc.constantFrom('oneHot', 'multiHot', 'count', undefined),
    numTokens: fc.integer({ min: 1, max: 5 }),
    length: fc.integer({ min: 1, max: 4 }),
    isFraction: fc.boolean(),
    opset: fc.constantFrom(13, 17, 18, 21),
    numbers: fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), { minLength: 8, maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ mode, numTokens, length, isFraction, opset, numbers }) => {
      const size = mode === 'oneHot' ? 1 : length;
      const dtype = isFraction ? 'float32' : 'int32';
      const layer = layers.categoryEncoding({ numTokens, ...(mode && { outputMode: mode }) });
      const tokens = numbers.slice(0, 2 * size).map((number) => number * numTokens);
      const given = tf.tensor(isFraction ? tokens : tokens.map(Math.floor), [2, size], dtype);
      // No model: the layer writes over the shape of its input, so that predict refuses what fits, and save says the wrong one.
      const artifacts = functional(
        [
          ['InputLayer', { name: 'x', batch_input_shape: [null, size], dtype }, []],
          ['CategoryEncoding', { name: 'y', num_tokens: numTokens, output_mode: mode }, [[['x', 0, 0, {}]]]],
        ],
        [['y', 0, 0]],
      );
      await compare({ predict: (inputs) => layer.apply(inputs) as tf.Tensor }, artifacts, [given], { opset });
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('Rescaling by numbers and by lists of them: ONNX gives what TensorFlow.js gives', async () => {
  const number = fc.double({ min: -2, max: 2, noNaN: true });
  const drawn = fc.record({
    scale: fc.oneof(number, fc.array(number, { minLength: 3, maxLength: 3 })),
    offset: fc.oneof(number, fc.array(number, { minLength: 3, maxLength: 3 }), fc.constant(undefined)),
    seed: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ scale, offset, seed }) => {
      fc.pre([scale, offset].flat().some((each) => each !== undefined && Math.abs(each) > 0.1));
      const layer = layers.rescaling({ scale, ...(offset !== undefined && { offset }) } as never);
      const network = sequential({ layers: [layers.inputLayer({ inputShape: [2, 3] }), layer] });
      await compare(network, await artifactsOf(network), [randomTensor([2, 2, 3], seed)]);
    }),
    { seed: 1, numRuns: 30 },
  );
});

test('RandomWidth leaves the image alone, and says so in files of TensorFlow.js, which resizes in predict too', () => {
  const artifacts = functional(
    [
      ['InputLayer', { name: 'x', batch_input_shape: [null, 2, 3, 1] }, []],
      ['RandomWidth', { name: 'y', factor: 0.5 }, [[['x', 0, 0, {}]]]],
    ],
    [['y', 0, 0]],
  );
  assert.deepEqual(convert(artifacts).summary.warnings, []);
  const { summary } = convert({ ...artifacts, generatedBy: 'TensorFlow.js tfjs-layers v4.22.0' });
  assert.deepEqual(summary.operators, { Identity: 1 });
  assert.match(summary.warnings[0] ?? '', /random width even in predict/);
});
