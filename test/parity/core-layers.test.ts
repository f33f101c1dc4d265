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

/** Activations that TensorFlow.js has, as it writes them. */
const ACTIVATIONS =
  'elu gelu gelu_new hardSigmoid linear logSoftmax mish relu relu6 selu sigmoid softmax softplus softsign swish tanh'.split(
    ' ',
  );

const size = fc.integer({ min: 1, max: 4 });
const shapeOf = (least: number, most: number) => fc.array(size, { minLength: least, maxLength: most });

/** A layer on random numbers, in both runtimes. */
async function compareLayer(inputShape: (number | null)[], layer: Layer, given: number[], seed: number, options = {}) {
  const network = sequential({ layers: [layers.inputLayer({ inputShape }), layer] });
  randomise(network, seed);
  return compare(network, await artifactsOf(network), [randomTensor(given, seed + 1)], options);
}

/** A sentence for each: how its layer and its shape are drawn. */
function property<T>(
  title: string,
  drawn: fc.Arbitrary<T>,
  run: (drawn: T, seed: number) => Promise<unknown>,
  numRuns = 40,
) {
  test(`${title}: ONNX gives what TensorFlow.js gives`, async () => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.nat(1000), async (each, seed) => {
        await run(each, seed);
      }),
      { seed: 1, numRuns },
    );
  });
}

property(
  'Dense of any rank with every activation',
  fc.record({
    shape: shapeOf(1, 4),
    units: size,
    useBias: fc.boolean(),
    activation: fc.constantFrom(...ACTIVATIONS),
    opset: fc.constantFrom(13, 17, 18, 20, 21),
  }),
  async ({ shape, units, useBias, activation, opset }, seed) => {
    // Softmax of one unit is 1 whatever the weights are, and its logarithm 0: nothing to compare.
    const least = activation === 'logSoftmax' ? 2 : 1;
    const layer = layers.dense({ units: Math.max(units, least), useBias, activation: activation as 'relu' });
    await compareLayer(shape, layer, [2, ...shape], seed, { opset });
  },
  120,
);

property(
  'Permute of any order',
  shapeOf(1, 4).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      dims: fc.shuffledSubarray(
        shape.map((_, axis) => axis + 1),
        { minLength: shape.length, maxLength: shape.length },
      ),
    }),
  ),
  async ({ shape, dims }, seed) => compareLayer(shape, layers.permute({ dims }), [2, ...shape], seed),
);

property('RepeatVector', fc.tuple(size, size), async ([features, n], seed) =>
  compareLayer([features], layers.repeatVector({ n }), [2, features], seed),
);

property(
  'Reshape to any factors, one of them open or none',
  fc.record({
    sizes: shapeOf(1, 4),
    order: fc.boolean(),
    open: fc.nat(4),
    isTimeOpen: fc.boolean(),
  }),
  async ({ sizes, order, open, isTimeOpen }, seed) => {
    const target: (number | null)[] = order ? [...sizes].reverse() : [sizes.reduce((all, each) => all * each, 1)];
    if (open < target.length) target[open] = open % 2 === 0 ? -1 : null;
    const written = isTimeOpen ? [null, ...sizes.slice(1)] : sizes;
    await compareLayer(written, layers.reshape({ targetShape: target }), [2, ...sizes], seed);
  },
  60,
);

property('Flatten of any rank and layout', fc.tuple(shapeOf(2, 4), fc.boolean()), async ([shape, isFirst], seed) =>
  compareLayer(shape, layers.flatten(isFirst ? { dataFormat: 'channelsFirst' } : {}), [2, ...shape], seed),
);

property(
  'PReLU with slopes shared along any axes',
  shapeOf(1, 4).chain((shape) =>
    fc.record({ shape: fc.constant(shape), shared: fc.option(fc.subarray(shape.map((_, axis) => axis + 1))) }),
  ),
  async ({ shape, shared }, seed) =>
    compareLayer(shape, layers.prelu(shared ? { sharedAxes: shared } : {}), [2, ...shape], seed),
);

test('PReLU with slopes shared along an open axis: ONNX gives what TensorFlow.js gives', async () => {
  await compareLayer([null, 3], layers.prelu({ sharedAxes: [1] }), [2, 5, 3], 3);
});

property(
  'Softmax layer over one axis or several',
  shapeOf(2, 4).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axes: fc.subarray(
        [...shape.keys()].map((axis) => axis + 1),
        { minLength: 1 },
      ),
      isNegative: fc.boolean(),
    }),
  ),
  async ({ shape, axes, isNegative }, seed) => {
    const rank = shape.length + 1;
    // One axis alone has to be the last one in TensorFlow.js.
    const drawn = axes.length === 1 ? [rank - 1] : axes;
    const axis = isNegative ? drawn.map((each) => each - rank) : drawn;
    await compareLayer(shape, layers.softmax({ axis: axis as unknown as number }), [2, ...shape], seed);
  },
);

property(
  'ReLU, LeakyReLU, ThresholdedReLU and ELU with any setting that TensorFlow.js knows',
  fc.record({
    shape: shapeOf(1, 3),
    build: fc.constantFrom<(setting: number) => Layer>(
      (setting) => layers.reLU({ maxValue: setting }),
      () => layers.reLU({}),
      (setting) => layers.leakyReLU({ alpha: setting }),
      (setting) => layers.thresholdedReLU({ theta: setting }),
      () => layers.elu({}),
    ),
    setting: fc.double({ min: 0.1, max: 2, noNaN: true }),
  }),
  async ({ shape, build, setting }, seed) => compareLayer([5, ...shape], build(setting), [2, 5, ...shape], seed),
);

for (const opset of [13, 18, 21]) {
  test(`a chain of arranging layers at opset ${opset}: ONNX gives what TensorFlow.js gives`, async () => {
    const network = sequential({
      layers: [
        layers.inputLayer({ inputShape: [null, 4, 3] }),
        layers.permute({ dims: [1, 3, 2] }),
        layers.prelu({ sharedAxes: [1] }),
        layers.softmax({ axis: [2, 3] as unknown as number }),
        layers.permute({ dims: [1, 3, 2] }),
        layers.dense({ units: 6, activation: 'gelu' }),
        layers.reshape({ targetShape: [-1, 3, 2] }),
      ],
    });
    randomise(network, 1);
    await compare(network, await artifactsOf(network), [randomTensor([2, 5, 4, 3], 2)], { opset });
  });
}
