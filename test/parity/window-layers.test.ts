import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { sequential as sequentialJson } from '../unit/tfjs-to-onnx/artifacts.ts';
import { artifactsOf, compare, randomise, randomTensor } from '../support/layers-parity.ts';

before(async () => {
  await tf.setBackend('cpu');
});

type Layer = InstanceType<typeof layers.Layer>;
type Format = 'channelsFirst' | 'channelsLast';
type Options = Parameters<typeof compare>[3] & { open?: readonly number[] };

/** A layer on inputs of this shape; the axes `open`, counted with the batch, have no size in the file. */
async function agree(inputShape: readonly number[], layer: Layer, { open = [], ...options }: Options = {}) {
  const network = sequential({ layers: [layers.inputLayer({ inputShape: [...inputShape] }), layer] });
  randomise(network, 1);
  const artifacts = withOpenAxes(await artifactsOf(network), open);
  return compare(network, artifacts, [randomTensor([2, ...inputShape], 2)], options);
}

function withOpenAxes(artifacts: tf.io.ModelArtifacts, open: readonly number[]): tf.io.ModelArtifacts {
  const topology = structuredClone(artifacts.modelTopology) as SavedSequential;
  const input = topology.config.layers[0]?.config ?? assert.fail('there is no input layer');
  input.batch_input_shape = input.batch_input_shape.map((size, axis) => (open.includes(axis) ? null : size));
  return { ...artifacts, modelTopology: topology };
}

interface SavedSequential {
  config: { layers: { config: { batch_input_shape: (number | null)[] } }[] };
}

const formats: fc.Arbitrary<Format> = fc.constantFrom('channelsFirst', 'channelsLast');
const paddings = fc.constantFrom('valid' as const, 'same' as const);
const activations = fc.constantFrom('linear', 'elu', 'tanh', 'softmax', 'hardSigmoid', 'selu');

/** Windows over so many axes, with an input that they fit. No layer of tfjs takes strides and gaps together. */
const windows = (axes: number) =>
  fc
    .record({
      kernelSize: numbers(axes, 1, axes === 3 ? 3 : 4),
      steps: fc.oneof(
        fc.record({ strides: numbers(axes, 1, 3), dilationRate: fc.constant(each(axes, 1)) }),
        fc.record({ strides: fc.constant(each(axes, 1)), dilationRate: numbers(axes, 1, 2) }),
      ),
      spare: numbers(axes, 0, 3),
      channels: fc.integer({ min: 1, max: 3 }),
      padding: paddings,
      dataFormat: formats,
      isOpen: fc.boolean(),
    })
    .map(({ steps, ...rest }) => ({ ...rest, ...steps }));

function numbers(count: number, min: number, max: number) {
  return fc.array(fc.integer({ min, max }), { minLength: count, maxLength: count });
}

function each(count: number, number: number): number[] {
  return new Array<number>(count).fill(number);
}

/** The shape of an input that a window fits into, and which of its axes are open. */
function inputOf({
  kernelSize,
  dilationRate = [],
  spare = [],
  channels,
  dataFormat,
  isOpen,
}: {
  kernelSize: readonly number[];
  dilationRate?: readonly number[];
  spare?: readonly number[];
  channels: number;
  dataFormat: Format;
  isOpen: boolean;
}): { shape: number[]; open: number[] } {
  const space = kernelSize.map((size, axis) => (size - 1) * (dilationRate[axis] ?? 1) + 1 + (spare[axis] ?? 0));
  const isFirst = dataFormat === 'channelsFirst';
  const open = isOpen ? space.map((_, axis) => axis + (isFirst ? 2 : 1)) : [];
  return { shape: isFirst ? [channels, ...space] : [...space, channels], open };
}

/** Padding 'same' with strides beyond the window is refused where a size is open and more than two elements are in it. */
function needsSizes({
  kernelSize,
  dilationRate,
  strides,
  padding,
}: Record<'kernelSize' | 'dilationRate' | 'strides', number[]> & { padding: string }) {
  const isSkipping = kernelSize.some((size, axis) => (size - 1) * (dilationRate[axis] ?? 1) + 1 < (strides[axis] ?? 1));
  return padding === 'same' && isSkipping;
}

async function forAll<T>(arbitrary: fc.Arbitrary<T>, numRuns: number, check: (drawn: T) => Promise<unknown>) {
  await fc.assert(
    fc.asyncProperty(arbitrary, async (drawn) => {
      await check(drawn);
    }),
    { seed: 1, numRuns, includeErrorInReport: true },
  );
}

const filters = fc.record({ filters: fc.integer({ min: 1, max: 3 }), useBias: fc.boolean(), activation: activations });

for (const [axes, runs] of [
  [2, 120],
  [3, 60],
] as const) {
  test(`Conv${axes}D with any window, padding and layout: ONNX gives what TensorFlow.js gives`, async () => {
    await forAll(fc.tuple(windows(axes), filters), runs, async ([{ isOpen, ...window }, own]) => {
      const { shape, open } = inputOf({ ...window, isOpen: isOpen && !needsSizes(window) });
      const config = { ...window, ...own } as unknown as Parameters<typeof layers.conv2d>[0];
      await agree(shape, axes === 2 ? layers.conv2d(config) : layers.conv3d(config), { open });
    });
  });
}

test('Conv1D with any window and padding: ONNX gives what TensorFlow.js gives', async () => {
  await forAll(fc.tuple(windows(1), filters), 60, async ([window, own]) => {
    const { shape, open } = inputOf({
      ...window,
      dataFormat: 'channelsLast',
      isOpen: window.isOpen && !needsSizes(window),
    });
    const { kernelSize, strides, padding, dilationRate } = window;
    await agree(shape, layers.conv1d({ ...own, kernelSize, strides, padding, dilationRate } as never), { open });
  });
});

test('DepthwiseConv2D with any window, multiplier and layout: ONNX gives what TensorFlow.js gives', async () => {
  const own = fc.record({
    depthMultiplier: fc.integer({ min: 1, max: 3 }),
    useBias: fc.boolean(),
    activation: activations,
  });
  await forAll(fc.tuple(windows(2), own), 80, async ([window, settings]) => {
    const { shape, open } = inputOf({
      ...window,
      dilationRate: [1, 1],
      isOpen: window.isOpen && !needsSizes({ ...window, dilationRate: [1, 1] }),
    });
    const { kernelSize, strides, padding, dataFormat } = window;
    const config = { ...settings, kernelSize, strides, padding, dataFormat };
    await agree(shape, layers.depthwiseConv2d(config as never), { open });
  });
});

test('SeparableConv2D with any window, multiplier and layout: ONNX gives what TensorFlow.js gives', async () => {
  const own = fc.record({
    filters: fc.integer({ min: 2, max: 3 }),
    depthMultiplier: fc.integer({ min: 1, max: 2 }),
    activation: activations,
  });
  await forAll(fc.tuple(windows(2), own, fc.boolean()), 80, async ([window, settings, useBias]) => {
    const { shape, open } = inputOf({ ...window, isOpen: window.isOpen && !needsSizes(window) });
    const { kernelSize, strides, dilationRate, padding, dataFormat } = window;
    // With its channels first tfjs adds the bias along another axis.
    const config = {
      ...settings,
      kernelSize,
      strides,
      dilationRate,
      padding,
      dataFormat,
      useBias: useBias && dataFormat === 'channelsLast',
    };
    await agree(shape, layers.separableConv2d(config as never), { open });
  });
});

for (const [axes, runs] of [
  [2, 100],
  [3, 60],
] as const) {
  test(`Conv${axes}DTranspose with any window, padding and layout: ONNX gives what TensorFlow.js gives`, async () => {
    await forAll(fc.tuple(windows(axes), filters), runs, async ([window, own]) => {
      const { shape, open } = inputOf({ ...window, kernelSize: each(axes, 1), dilationRate: each(axes, 1) });
      const { kernelSize, strides, padding, dataFormat } = window;
      const config = { ...own, kernelSize, strides, padding, dataFormat } as never;
      await agree(shape, axes === 2 ? layers.conv2dTranspose(config) : layers.conv3dTranspose(config), { open });
    });
  });
}

const pools = {
  maxPooling1d: 1,
  averagePooling1d: 1,
  maxPooling2d: 2,
  averagePooling2d: 2,
  maxPooling3d: 3,
  averagePooling3d: 3,
} as const;

for (const [name, axes] of Object.entries(pools) as [keyof typeof pools, number][]) {
  test(`${name} with any window, padding and layout: ONNX gives what TensorFlow.js gives`, async () => {
    await forAll(fc.tuple(windows(axes), fc.boolean()), axes === 1 ? 30 : 50, async ([window, hasStrides]) => {
      const strides = hasStrides ? window.strides : undefined;
      const { shape, open } = inputOf({
        ...window,
        dilationRate: each(axes, 1),
        ...(axes === 1 && { dataFormat: 'channelsLast' }),
        isOpen: window.isOpen && !needsSizes(window),
      });
      const { kernelSize: poolSize, padding, dataFormat } = window;
      const config = { poolSize, padding, ...(strides && { strides }), ...(axes > 1 && { dataFormat }) };
      await agree(shape, (layers[name] as (config: unknown) => Layer)(config), { open });
    });
  });
}

for (const name of ['globalAveragePooling2d', 'globalMaxPooling2d'] as const) {
  for (const dataFormat of ['channelsFirst', 'channelsLast'] as const) {
    test(`${name}, ${dataFormat}: ONNX gives what TensorFlow.js gives`, async () => {
      await agree([3, 4, 5], layers[name]({ dataFormat }));
      const open = dataFormat === 'channelsFirst' ? [2, 3] : [1, 2];
      await agree([3, 4, 5], layers[name]({ dataFormat }), { open, opset: 18 });
    });
  }
}

for (const name of ['globalAveragePooling1d', 'globalMaxPooling1d'] as const) {
  test(`${name}: ONNX gives what TensorFlow.js gives`, async () => {
    await agree([5, 3], layers[name]({}));
    await agree([5, 3], layers[name]({}), { open: [1], opset: 18 });
  });
}

const borders = fc.oneof(
  fc.integer({ min: 0, max: 2 }),
  numbers(2, 0, 2),
  fc.array(numbers(2, 0, 2), { minLength: 2, maxLength: 2 }),
);

test('ZeroPadding2D in every form and layout: ONNX gives what TensorFlow.js gives', async () => {
  await forAll(fc.tuple(borders, formats, fc.boolean()), 40, async ([padding, dataFormat, isOpen]) => {
    const { shape, open } = inputOf({ kernelSize: [2, 3], channels: 2, dataFormat, isOpen });
    await agree(shape, layers.zeroPadding2d({ padding, dataFormat } as never), { open });
  });
});

test('Cropping2D in every form and layout: ONNX gives what TensorFlow.js gives', async () => {
  await forAll(fc.tuple(borders, formats, fc.boolean()), 40, async ([cropping, dataFormat, isOpen]) => {
    const { shape, open } = inputOf({ kernelSize: [5, 6], channels: 2, dataFormat, isOpen });
    await agree(shape, layers.cropping2D({ cropping, dataFormat } as never), { open });
  });
});

test('UpSampling2D with any size, interpolation and layout: ONNX gives what TensorFlow.js gives', async () => {
  const own = fc.record({ size: numbers(2, 1, 4), interpolation: fc.constantFrom('nearest', 'bilinear') });
  await forAll(
    fc.tuple(own, numbers(2, 1, 4), formats, fc.boolean()),
    60,
    async ([settings, kernelSize, dataFormat, isOpen]) => {
      const { shape, open } = inputOf({ kernelSize, channels: 2, dataFormat, isOpen });
      await agree(shape, layers.upSampling2d({ ...settings, dataFormat }), { open });
    },
  );
});

for (const activation of ['relu', 'relu6', 'sigmoid', 'softplus', 'softsign', 'swish', 'mish', 'gelu', 'logSoftmax']) {
  test(`Conv2D and DepthwiseConv2D with ${activation}: ONNX gives what TensorFlow.js gives`, async () => {
    const config = { kernelSize: 3, activation: activation as 'relu' };
    await agree([4, 5, 3], layers.conv2d({ ...config, filters: 4 }));
    await agree([3, 4, 5], layers.depthwiseConv2d({ ...config, dataFormat: 'channelsFirst' }));
  });
}

for (const opset of [13, 17, 22]) {
  // onnxruntime takes a Pad into the pool behind it: a border of zeros is then no longer larger than negative numbers.
  test(`operator set ${opset}: zeros around images that are below zero count in the pool behind them`, async () => {
    const below = tf.neg(tf.add(tf.abs(randomTensor([2, 8, 8, 2], 2)), 1));
    for (const [border, pool] of [
      [1, layers.maxPooling2d({ poolSize: 3, strides: 2 })],
      [1, layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })],
      [3, layers.maxPooling2d({ poolSize: 3, strides: 2 })],
      [1, layers.averagePooling2d({ poolSize: 3, strides: 2 })],
      [3, layers.averagePooling2d({ poolSize: 3, strides: 1, padding: 'same' })],
    ] as const) {
      const network = sequential({
        layers: [
          layers.conv2d({ filters: 2, kernelSize: 1, kernelInitializer: 'ones', inputShape: [8, 8, 2] }),
          layers.zeroPadding2d({ padding: border as never }),
          pool,
        ],
      });
      await compare(network, await artifactsOf(network), [below], { opset });
    }
  });
}

for (const opset of [13, 18, 21]) {
  test(`operator set ${opset}: ONNX gives what TensorFlow.js gives`, async () => {
    const same = { kernelSize: 3, strides: 2, padding: 'same' } as const;
    await agree([5, 6, 2], layers.conv2d({ ...same, filters: 3 }), { opset, open: [1, 2] });
    await agree([5, 6, 2], layers.conv2dTranspose({ ...same, filters: 3 }), { opset });
    await agree([5, 6, 2], layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }), { opset });
    await agree([5, 6, 2], layers.maxPooling2d({ poolSize: 3, padding: 'same' }), { opset, open: [1, 2] });
    await agree([5, 6, 2], layers.globalAveragePooling2d({}), { opset });
    await agree(
      [5, 6, 2],
      layers.zeroPadding2d({
        padding: [
          [0, 1],
          [2, 0],
        ],
      }),
      { opset },
    );
    await agree(
      [5, 6, 2],
      layers.cropping2D({
        cropping: [
          [0, 1],
          [2, 0],
        ],
      }),
      { opset },
    );
    await agree([5, 6, 2], layers.upSampling2d({ size: [2, 3], interpolation: 'bilinear' }), { opset });
    await agree([5, 6, 2], layers.upSampling2d({ size: [2, 3] }), { opset, open: [1, 2] });
    await agree([4, 5, 3, 2], layers.conv3d({ filters: 2, kernelSize: 2, strides: 3, padding: 'same' }), { opset });
    await agreeAlone([5, 6, 2], layers.resizing({ height: 3, width: 7 }), 'Resizing', { opset, open: [1, 2] });
  });
}

/** A layer that does not work in a model of tfjs, by itself: what it gives, under the semantics of TensorFlow.js. */
async function agreeAlone(inputShape: readonly number[], layer: Layer, className: string, options: Options = {}) {
  const config = { ...layer.getConfig(), name: 'alone' };
  const artifacts = sequentialJson(inputShape, [[className, snakeCased(config)]]);
  const { open = [], ...rest } = options;
  const network = {
    predict: (inputs: tf.Tensor | tf.Tensor[]) =>
      layer.apply(Array.isArray(inputs) ? (inputs[0] ?? []) : inputs) as tf.Tensor,
  };
  return compare(
    network,
    withOpenAxes(artifacts as tf.io.ModelArtifacts, open),
    [randomTensor([2, ...inputShape], 2)],
    {
      semantics: 'tfjs',
      ...rest,
    },
  );
}

function snakeCased(config: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

test('Resizing to any size: ONNX gives what TensorFlow.js gives', async () => {
  const own = fc.record({
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    interpolation: fc.constantFrom('nearest', 'bilinear'),
    cropToAspectRatio: fc.boolean(),
  });
  await forAll(fc.tuple(own, numbers(2, 1, 9), fc.boolean()), 100, async ([settings, space, isOpen]) => {
    const open = isOpen && settings.interpolation === 'bilinear' ? [1, 2] : [];
    await agreeAlone([...space, 2], layers.resizing(settings), 'Resizing', { open });
  });
});

test('CenterCrop of images of any size: ONNX gives what TensorFlow.js gives', async () => {
  await forAll(fc.tuple(numbers(2, 2, 9), numbers(2, 2, 9)), 60, async ([[height = 1, width = 1], space]) => {
    await agreeAlone([...space, 2], layers.centerCrop({ height, width }), 'CenterCrop');
  });
  // Rounding puts the last of these columns beyond the image, where tfjs gives zero.
  await agreeAlone([3, 16, 1], layers.centerCrop({ height: 2, width: 15 }), 'CenterCrop');
});

test('a window without padding that does not fit its input is refused', async () => {
  await assert.rejects(agree([2, 4, 1], layers.maxPooling2d({ poolSize: 3, padding: 'valid' })), /window|Negative/);
});
