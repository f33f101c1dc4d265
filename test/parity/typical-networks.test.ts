import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { ConvertOptions } from '@atelier/tfjs-to-onnx';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { input, type LayersModel, layers, model, sequential, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { artifactsOf, assertClose, compare, randomise, randomTensor } from '../support/layers-parity.ts';
import { runConverted } from '../support/run-converted.ts';

before(async () => {
  await tf.setBackend('cpu');
});

/** For whole networks: tens of layers, each with its own roundings. */
const TOLERANCE = 1e-4;

type Layer = InstanceType<typeof layers.Layer>;

/** The operators that a network comes out with. */
async function operatorsOf(network: LayersModel, inputShape: readonly number[], options: ConvertOptions = {}) {
  randomise(network, 3);
  const images = randomTensor([2, ...inputShape], 4);
  const { summary } = await compare(network, await artifactsOf(network), [images], {
    tolerance: TOLERANCE,
    ...options,
  });
  assert.deepEqual(summary.warnings, []);
  return summary.operators;
}

/** What a layer gives for one tensor or several. */
function of(layer: Layer, ...taken: SymbolicTensor[]): SymbolicTensor {
  return layer.apply(taken.length === 1 ? (taken[0] ?? []) : taken) as SymbolicTensor;
}

/** LeNet-5 (LeCun et al. 1998) with a batch normalisation. */
function leNet(): LayersModel {
  return sequential({
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 5, padding: 'same', activation: 'relu', inputShape: [14, 14, 1] }),
      layers.averagePooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 6, kernelSize: 3, activation: 'tanh' }),
      layers.batchNormalization(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 12, activation: 'relu' }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
}

/** MobileNet v1 (arXiv 1704.04861) as Keras builds it, with three blocks. */
function mobileNet(): LayersModel {
  const corner = () =>
    layers.zeroPadding2d({
      padding: [
        [0, 1],
        [0, 1],
      ],
    });
  const normalised = () => [layers.batchNormalization(), layers.reLU({ maxValue: 6 })];
  const block = (filters: number, strides: number) => [
    ...(strides === 2 ? [corner()] : []),
    layers.depthwiseConv2d({ kernelSize: 3, strides, padding: strides === 2 ? 'valid' : 'same', useBias: false }),
    ...normalised(),
    layers.conv2d({ filters, kernelSize: 1, padding: 'same', useBias: false }),
    ...normalised(),
  ];
  return sequential({
    layers: [
      layers.inputLayer({ inputShape: [16, 16, 3] }),
      corner(),
      layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'valid', useBias: false }),
      ...normalised(),
      ...block(6, 1),
      ...block(8, 2),
      ...block(8, 1),
      layers.globalAveragePooling2d({}),
      layers.reshape({ targetShape: [1, 1, 8] }),
      layers.dropout({ rate: 0.1 }),
      layers.conv2d({ filters: 5, kernelSize: 1, padding: 'same' }),
      layers.activation({ activation: 'softmax' }),
      layers.reshape({ targetShape: [5] }),
    ],
  });
}

/** ResNet (arXiv 1512.03385) as Keras builds it, with a block of either kind. */
function resNet(): LayersModel {
  const images = input({ shape: [16, 16, 3] });
  const convolved = (x: SymbolicTensor, filters: number, kernelSize: number, strides: number) =>
    of(layers.batchNormalization(), of(layers.conv2d({ filters, kernelSize, strides, padding: 'same' }), x));
  const stem = of(
    layers.reLU(),
    of(
      layers.batchNormalization(),
      of(layers.conv2d({ filters: 4, kernelSize: 7, strides: 2 }), of(layers.zeroPadding2d({ padding: 3 }), images)),
    ),
  );
  let x = of(layers.maxPooling2d({ poolSize: 3, strides: 2 }), of(layers.zeroPadding2d({ padding: 1 }), stem));
  for (const [filters, strides] of [
    [4, 1],
    [8, 2],
  ] as const) {
    const main = convolved(of(layers.reLU(), convolved(x, filters, 3, strides)), filters, 3, 1);
    const skip = strides === 1 ? x : convolved(x, filters, 1, strides);
    x = of(layers.reLU(), of(layers.add(), main, skip));
  }
  const features = of(layers.globalAveragePooling2d({}), x);
  return model({ inputs: images, outputs: of(layers.dense({ units: 5, activation: 'softmax' }), features) });
}

/** U-Net (arXiv 1505.04597) with both ways up. */
function uNet(size: number | null = 16): LayersModel {
  const images = input({ shape: [size, size, 3] });
  const conv = (x: SymbolicTensor, filters: number) =>
    of(layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' }), x);
  const down = (x: SymbolicTensor) => of(layers.maxPooling2d({ poolSize: 2 }), x);
  const first = conv(images, 4);
  const second = conv(down(first), 6);
  const third = conv(down(second), 8);
  const up = of(layers.upSampling2d({ size: [2, 2] }), third);
  const merged = conv(of(layers.concatenate(), up, second), 6);
  const top = of(layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }), merged);
  const last = conv(of(layers.concatenate({ axis: 3 }), top, first), 4);
  return model({
    inputs: images,
    outputs: of(layers.conv2d({ filters: 2, kernelSize: 1, activation: 'softmax' }), last),
  });
}

/** Squeeze and excitation (arXiv 1709.01507): factors for the channels, by Dense layers. */
function squeezeAndExcitation(): LayersModel {
  const images = input({ shape: [8, 8, 3] });
  const x = of(layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }), images);
  const squeezed = of(layers.reshape({ targetShape: [1, 1, 4] }), of(layers.globalAveragePooling2d({}), x));
  const inner = of(layers.dense({ units: 2, activation: 'relu' }), squeezed);
  const scaled = of(layers.multiply(), x, of(layers.dense({ units: 4, activation: 'sigmoid' }), inner));
  return model({
    inputs: images,
    outputs: of(layers.globalMaxPooling2d({}), of(layers.conv2d({ filters: 3, kernelSize: 1 }), scaled)),
  });
}

test('a LeNet has a Transpose at the entry and one before Flatten', async () => {
  assert.deepEqual(await operatorsOf(leNet(), [14, 14, 1]), {
    AveragePool: 1,
    BatchNormalization: 1,
    Conv: 2,
    Flatten: 1,
    Gemm: 2,
    MaxPool: 1,
    Relu: 2,
    Softmax: 1,
    Tanh: 1,
    Transpose: 2,
  });
});

test('a MobileNet has one Transpose and no Pad', async () => {
  assert.deepEqual(await operatorsOf(mobileNet(), [16, 16, 3]), {
    BatchNormalization: 7,
    Clip: 7,
    Conv: 8,
    ReduceMean: 1,
    Reshape: 2,
    Softmax: 1,
    Transpose: 1,
  });
});

test('a ResNet has one Transpose, and a Pad before its pool alone', async () => {
  assert.deepEqual(await operatorsOf(resNet(), [16, 16, 3]), {
    Add: 2,
    BatchNormalization: 6,
    Conv: 6,
    Gemm: 1,
    MaxPool: 1,
    Pad: 1,
    ReduceMean: 1,
    Relu: 5,
    Softmax: 1,
    Transpose: 1,
  });
});

for (const size of [16, null]) {
  test(`a U-Net of ${size ?? 'any'} pixels has a Transpose at either end`, async () => {
    assert.deepEqual(await operatorsOf(uNet(size), [16, 16, 3]), {
      Concat: 2,
      Conv: 6,
      ConvTranspose: 1,
      MaxPool: 2,
      Relu: 5,
      Resize: 1,
      Softmax: 1,
      Transpose: 2,
    });
  });
}

test('squeeze and excitation transposes the factors, and the images at the entry alone', async () => {
  assert.equal((await operatorsOf(squeezeAndExcitation(), [8, 8, 3]))['Transpose'], 2);
});

for (const [name, build, inputShape, left] of [
  ['LeNet', leNet, [14, 14, 1], 1],
  ['MobileNet', mobileNet, [16, 16, 3], 0],
  ['ResNet', resNet, [16, 16, 3], 0],
] as const) {
  test(`a ${name} gives the same with its batch normalisation in the weights, where an activation is not between`, async () => {
    const network = build();
    randomise(network, 5);
    const artifacts = await artifactsOf(network);
    const images = randomTensor([2, ...inputShape], 6);
    const inputs = [{ shape: images.shape, values: Array.from(images.dataSync()) }];
    const [plain] = await runConverted(artifacts, inputs);
    const [folded] = await runConverted(artifacts, inputs, { foldBatchNormalization: true });
    assertClose(Float32Array.from(folded?.values ?? []), plain?.values ?? [], 1e-5);
    const { summary } = await compare(network, artifacts, [images], {
      tolerance: TOLERANCE,
      foldBatchNormalization: true,
    });
    assert.equal(summary.operators['BatchNormalization'] ?? 0, left);
  });
}
