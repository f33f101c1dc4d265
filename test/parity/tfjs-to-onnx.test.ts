import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { input, layers, loadLayersModel, model, sequential, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ACTIVATIONS, artifactsOf, compare, randomBytes, randomise, randomTensor } from '../support/layers-parity.ts';

const BATCH = 3;

before(async () => {
  await tf.setBackend('cpu');
});

type Layer = InstanceType<typeof layers.Layer>;
const activation = (name: string) => layers.activation({ activation: name as 'relu' });

/** Every rule and every flag of it: the layers after an input of this shape, without the batch. */
const cases: Record<string, [inputShape: number[], build: () => Layer[]]> = {
  'Dense on a matrix': [[5], () => [layers.dense({ units: 4 })]],
  'Dense without bias': [[5], () => [layers.dense({ units: 4, useBias: false })]],
  'Dense on rank 3': [[2, 5], () => [layers.dense({ units: 4 })]],
  'Dense on rank 4 without bias': [[2, 3, 5], () => [layers.dense({ units: 4, useBias: false })]],
  'Dense with a fused activation': [[5], () => [layers.dense({ units: 4, activation: 'softmax' })]],
  'Dense on rank 3 with a fused activation': [[2, 5], () => [layers.dense({ units: 4, activation: 'relu' })]],
  'Flatten of rank 3': [[2, 3], () => [layers.flatten()]],
  'Flatten of rank 4': [[2, 3, 4], () => [layers.flatten()]],
  'Flatten with channels first': [[2, 3, 4], () => [layers.flatten({ dataFormat: 'channelsFirst' })]],
  'Reshape to known sizes': [[6], () => [layers.reshape({ targetShape: [2, 3] })]],
  'Reshape with an open size': [[4, 6], () => [layers.reshape({ targetShape: [3, -1, 2] })]],
  'ReLU without maximum': [[6], () => [layers.reLU()]],
  'ReLU with maximum': [[6], () => [layers.reLU({ maxValue: 0.5 })]],
  'LeakyReLU with its default slope': [[6], () => [layers.leakyReLU()]],
  'LeakyReLU with a slope': [[6], () => [layers.leakyReLU({ alpha: 0.05 })]],
  ELU: [[6], () => [layers.elu()]],
  'ThresholdedReLU with its default threshold': [[6], () => [layers.thresholdedReLU()]],
  'ThresholdedReLU with a threshold': [[6], () => [layers.thresholdedReLU({ theta: 0.2 })]],
  'Softmax layer with its default axis': [[6], () => [layers.softmax()]],
  'Softmax layer along the last of three axes': [[2, 6], () => [layers.softmax({ axis: -1 })]],
  'BatchNormalization of a matrix': [[6], () => [layers.batchNormalization()]],
  'BatchNormalization with an epsilon': [[6], () => [layers.batchNormalization({ epsilon: 0.3 })]],
  'BatchNormalization without scale': [[6], () => [layers.batchNormalization({ scale: false })]],
  'BatchNormalization without centre': [[6], () => [layers.batchNormalization({ center: false })]],
  'BatchNormalization without either': [[6], () => [layers.batchNormalization({ scale: false, center: false })]],
  'BatchNormalization of the last of three axes': [[4, 6], () => [layers.batchNormalization({ axis: -1 })]],
  'BatchNormalization of the last of four axes': [[2, 3, 6], () => [layers.batchNormalization({ axis: 3 })]],
  Dropout: [[6], () => [layers.dropout({ rate: 0.5 }), layers.dense({ units: 2 })]],
  SpatialDropout1D: [[4, 6], () => [layers.spatialDropout1d({ rate: 0.5 }), layers.dense({ units: 2 })]],
  GaussianNoise: [[6], () => [layers.gaussianNoise({ stddev: 1 }), layers.dense({ units: 2 })]],
  GaussianDropout: [[6], () => [layers.gaussianDropout({ rate: 0.5 }), layers.dense({ units: 2 })]],
  AlphaDropout: [[6], () => [layers.alphaDropout({ rate: 0.5 }), layers.dense({ units: 2 })]],
  'a layer that vanishes at the end': [[6], () => [layers.dense({ units: 2 }), layers.dropout({ rate: 0.5 })]],
  'nothing but a layer that vanishes': [[6], () => [layers.dropout({ rate: 0.5 })]],
  Rescaling: [[6], () => [layers.rescaling({ scale: 1 / 255, offset: -0.5 })]],
  'Rescaling without offset': [[6], () => [layers.rescaling({ scale: 3 })]],
  'a regularised multilayer perceptron': [
    [28, 28],
    () => [
      layers.flatten(),
      layers.dense({ units: 64, useBias: false }),
      layers.batchNormalization(),
      activation('relu'),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 32, activation: 'elu' }),
      layers.batchNormalization({ momentum: 0.9 }),
      layers.gaussianNoise({ stddev: 0.1 }),
      layers.dense({ units: 10 }),
      layers.softmax(),
    ],
  ],
};

for (const name of [...ACTIVATIONS, 'gelu_new']) {
  cases[`Activation ${name}`] = [[7], () => [activation(name)]];
  cases[`Activation ${name} on rank 3`] = [[2, 7], () => [activation(name)]];
}

for (const [title, [inputShape, build]] of Object.entries(cases)) {
  test(`${title}: ONNX gives what TensorFlow.js gives`, async () => {
    const network = sequential({ layers: [layers.inputLayer({ inputShape }), ...build()] });
    randomise(network, 1);
    await compare(network, await artifactsOf(network), [randomTensor([BATCH, ...inputShape], 2)]);
  });
}

for (const axis of [1, 2]) {
  test(`BatchNormalization of axis ${axis} of four: ONNX gives what TensorFlow.js gives between two transpositions`, async () => {
    // Not the layer itself: the cpu backend ignores its axis (https://github.com/tensorflow/tfjs/issues/1106).
    const inputLayer = () => layers.inputLayer({ inputShape: [2, 3, 6] });
    const swap = () => layers.permute({ dims: axis === 1 ? [3, 2, 1] : [1, 3, 2] });
    const network = sequential({ layers: [inputLayer(), layers.batchNormalization({ axis })] });
    const reference = sequential({ layers: [inputLayer(), swap(), layers.batchNormalization(), swap()] });
    randomise(network, 14);
    reference.setWeights(network.getWeights());
    const { summary } = await compare(reference, await artifactsOf(network), [randomTensor([BATCH, 2, 3, 6], 15)]);
    assert.match(summary.warnings[0] ?? '', /normalises axis \d of 4, as Keras does/);
  });
}

test('a first layer that has the input shape: ONNX gives what TensorFlow.js gives', async () => {
  const network = sequential({ layers: [layers.dense({ units: 3, inputShape: [4], activation: 'tanh' })] });
  randomise(network, 3);
  const converted = await compare(network, await artifactsOf(network), [randomTensor([BATCH, 4], 4)]);
  assert.deepEqual(
    converted.summary.inputs.map(({ name }) => name),
    network.inputNames,
  );
});

test('a functional chain: ONNX gives what TensorFlow.js gives', async () => {
  const x = input({ shape: [4], name: 'x' });
  const hidden = layers.batchNormalization().apply(layers.dense({ units: 6, activation: 'selu' }).apply(x));
  const y = layers.dropout({ rate: 0.2 }).apply(layers.dense({ units: 3, activation: 'softmax' }).apply(hidden));
  const network = model({ inputs: x, outputs: y as SymbolicTensor });
  randomise(network, 5);
  const converted = await compare(network, await artifactsOf(network), [randomTensor([BATCH, 4], 6)]);
  assert.deepEqual(
    converted.summary.outputs.map(({ name }) => name),
    network.outputNames,
  );
});

test('logits and probabilities as two outputs, and a layer used twice: ONNX gives what TensorFlow.js gives', async () => {
  const x = input({ shape: [4], name: 'x' });
  const shared = layers.dense({ units: 4, name: 'shared', activation: 'tanh' });
  const logits = shared.apply(shared.apply(x));
  const probabilities = layers.activation({ activation: 'softmax', name: 'probabilities' }).apply(logits);
  const network = model({ inputs: x, outputs: [logits, probabilities] as SymbolicTensor[] });
  randomise(network, 7);
  await compare(network, await artifactsOf(network), [randomTensor([BATCH, 4], 8)]);
});

test('an int32 input: ONNX takes int32 and gives what TensorFlow.js gives', async () => {
  const network = sequential({
    layers: [layers.rescaling({ scale: 0.1, inputShape: [4], dtype: 'int32' }), layers.dense({ units: 3 })],
  });
  randomise(network, 9);
  const converted = await compare(network, await artifactsOf(network), [
    tf.tensor2d([[-3, 0, 7, 90_000]], [1, 4], 'int32'),
  ]);
  assert.equal(converted.summary.inputs[0]?.type, 'int32');
});

test('a compiled model saved with its optimiser: ONNX gives what TensorFlow.js gives', async () => {
  const network = sequential({ layers: [layers.dense({ units: 3, inputShape: [4] })] });
  randomise(network, 10);
  const artifacts = await artifactsOf(network);
  const moments = { name: 'dense/kernel/m', shape: [2], dtype: 'float32' as const, group: 'optimizer' as const };
  const weightData = new Uint8Array([...new Uint8Array(artifacts.weightData as ArrayBuffer), ...new Uint8Array(8)]);
  const withMoments = { ...artifacts, weightSpecs: [...(artifacts.weightSpecs ?? []), moments], weightData };
  const { summary } = await compare(network, withMoments, [randomTensor([BATCH, 4], 11)]);
  assert.deepEqual(summary.warnings, []);
});

for (const dtype of ['uint8', 'uint16', 'float16'] as const) {
  test(`weights quantised to ${dtype}: ONNX gives what TensorFlow.js gives after loading the same file`, async () => {
    const original = sequential({ layers: [layers.dense({ units: 3, inputShape: [4], useBias: false })] });
    const artifacts = await artifactsOf(original);
    const bytes = randomBytes(dtype === 'uint8' ? 12 : 24, 12);
    // no exponent of ones, which would be an infinity or no number
    if (dtype === 'float16')
      for (let index = 1; index < bytes.length; index += 2) bytes[index] = (bytes[index] ?? 0) & 0xbf;
    const quantization = dtype === 'float16' ? { dtype } : { dtype, scale: 0.0123, min: -1.7 };
    const weightSpecs = (artifacts.weightSpecs ?? []).map((spec) => ({ ...spec, quantization }));
    const quantised = { ...artifacts, weightSpecs, weightData: bytes.buffer };
    const network = await loadLayersModel({ load: async () => quantised });
    await compare(network, quantised, [randomTensor([BATCH, 4], 13)]);
    const kept = await compare(network, quantised, [randomTensor([BATCH, 4], 13)], { keepQuantized: true });
    const [stored] = kept.model.graph.initializers;
    assert.deepEqual(
      [stored?.name, stored?.type, stored?.data.length],
      [`${weightSpecs[0]?.name}/quantized`, dtype, bytes.length],
    );
  });
}
