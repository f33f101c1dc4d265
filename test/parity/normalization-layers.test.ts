import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { artifactsOf, compare, randomise, randomTensor } from '../support/layers-parity.ts';

before(async () => {
  await tf.setBackend('cpu');
});

type Layer = InstanceType<typeof layers.Layer>;
const size = fc.integer({ min: 2, max: 4 });

async function compareLayer(inputShape: (number | null)[], layer: Layer, given: number[], seed: number, options = {}) {
  const network = sequential({ layers: [layers.inputLayer({ inputShape }), layer] });
  randomise(network, seed);
  return compare(network, await artifactsOf(network), [randomTensor(given, seed + 1)], options);
}

test('BatchNormalization of the last axis of 2 to 4: ONNX gives what TensorFlow.js gives', async () => {
  const drawn = fc.record({
    shape: fc.array(size, { minLength: 1, maxLength: 3 }),
    scale: fc.boolean(),
    center: fc.boolean(),
    epsilon: fc.constantFrom(1e-5, 1e-3, 0.3),
    isNegative: fc.boolean(),
    isOpen: fc.boolean(),
    opset: fc.constantFrom(13, 17, 18, 21),
    seed: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ shape, scale, center, epsilon, isNegative, isOpen, opset, seed }) => {
      const layer = layers.batchNormalization({ axis: isNegative ? -1 : shape.length, scale, center, epsilon });
      const written = isOpen && shape.length > 1 ? [null, ...shape.slice(1)] : shape;
      await compareLayer(written, layer, [2, ...shape], seed, { opset });
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('LayerNormalization over any axes in any order: ONNX gives what TensorFlow.js gives', async () => {
  const drawn = fc.array(size, { minLength: 1, maxLength: 3 }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axes: fc.shuffledSubarray(
        shape.map((_, axis) => axis + 1),
        { minLength: 1 },
      ),
      isNegative: fc.boolean(),
      isNumber: fc.boolean(),
      scale: fc.boolean(),
      center: fc.boolean(),
      epsilon: fc.constantFrom(1e-5, 1e-3, 0.3),
      opset: fc.constantFrom(13, 16, 17, 18, 21),
      seed: fc.nat(1000),
    }),
  );
  await fc.assert(
    fc.asyncProperty(drawn, async ({ shape, axes, isNegative, isNumber, scale, center, epsilon, opset, seed }) => {
      const written = axes.map((axis) => (isNegative ? axis - shape.length - 1 : axis));
      const axis = isNumber && written.length === 1 ? written[0] : written;
      await compareLayer(
        shape,
        layers.layerNormalization({ axis: axis as number, scale, center, epsilon }),
        [2, ...shape],
        seed,
        { opset },
      );
    }),
    { seed: 1, numRuns: 100 },
  );
});

test('LayerNormalization beside an open axis, and over one: ONNX gives what TensorFlow.js gives', async () => {
  await compareLayer([null, 4], layers.layerNormalization({}), [2, 3, 4], 5);
  await compareLayer([null, 4], layers.layerNormalization({ axis: 1, scale: false, center: false }), [2, 3, 4], 6);
});
