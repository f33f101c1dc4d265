import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { encodeModel, float, int, ints, model, node, type OnnxGraph, type OnnxNode, value } from '@atelier/onnx';
import { differentiate } from '@atelier/onnx-training';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, type LayersModel, sequential } from '@tensorflow/tfjs-layers';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

/**
 * Of the largest element of each gradient. Both runtimes compute in float32, whose rounding is 6e-8, and add up in their
 * own order; batch normalisation and the sums over a batch make more of it. 7.3e-7 is the most that was seen on x86-64.
 */
const TOLERANCE = 1e-4;
const BATCH = 16;
const CLASSES = 5;

before(async () => {
  await tf.setBackend('cpu');
});

/** A network in both forms. */
interface Network {
  tfjs: LayersModel;
  /** Nodes from the input `x` to `logits`, on weights that have the names of the tfjs weights. */
  nodes: OnnxNode[];
  /** The order in which the ONNX graph has the axes of the input. */
  inputOrder?: number[];
  /** The same of weights, by name; absent where it is that of tfjs. */
  weightOrders?: Readonly<Record<string, number[]>>;
}

/** A multilayer perceptron with batch normalisation, one hidden layer with Gelu and one with Relu. */
function perceptron(): Network {
  const hidden = (units: number, index: number, activation: 'gelu' | 'relu') => [
    layers.dense({ units, useBias: false, name: `hidden_${index}` }),
    layers.batchNormalization({ name: `normalization_${index}` }),
    layers.activation({ activation: activation }),
  ];
  const normalization = (index: number, output: string) =>
    node(
      'BatchNormalization',
      [
        `hidden_${index}`,
        ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((part) => `normalization_${index}/${part}`),
      ],
      [output, `mean_${index}`, `variance_${index}`],
      { training_mode: int(1), epsilon: float(1e-3) },
    );
  return {
    tfjs: sequential({
      layers: [
        layers.inputLayer({ inputShape: [12] }),
        ...hidden(20, 1, 'gelu'),
        ...hidden(10, 2, 'relu'),
        layers.dense({ units: CLASSES, name: 'logits' }),
      ],
    }),
    nodes: [
      node('Gemm', ['x', 'hidden_1/kernel'], 'hidden_1'),
      normalization(1, 'normal_1'),
      node('Gelu', ['normal_1'], 'active_1'),
      node('Gemm', ['active_1', 'hidden_2/kernel'], 'hidden_2'),
      normalization(2, 'normal_2'),
      node('Relu', ['normal_2'], 'active_2'),
      node('Gemm', ['active_2', 'logits/kernel', 'logits/bias'], 'logits'),
    ],
  };
}

/** Two convolutions, the largest of overlapping windows, means of windows, and a dense layer. */
function convolutional(): Network {
  const kernelOrder = [3, 2, 0, 1]; // [height, width, inputs, outputs] to [outputs, inputs, height, width]
  return {
    tfjs: sequential({
      layers: [
        layers.inputLayer({ inputShape: [11, 10, 2] }),
        layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', name: 'first' }),
        layers.maxPooling2d({ poolSize: 3, strides: 2 }),
        layers.conv2d({
          filters: 6,
          kernelSize: [3, 2],
          strides: [2, 1],
          padding: 'same',
          useBias: false,
          name: 'second',
        }),
        layers.activation({ activation: 'tanh' }),
        // Without padding: in TensorFlow.js, the gradient of a mean counts padding that the mean itself does not.
        layers.averagePooling2d({ poolSize: 2, strides: 1 }),
        layers.flatten(),
        layers.dense({ units: CLASSES, name: 'logits' }),
      ],
    }),
    inputOrder: [0, 3, 1, 2],
    weightOrders: { 'first/kernel': kernelOrder, 'second/kernel': kernelOrder },
    nodes: [
      node('Conv', ['x', 'first/kernel', 'first/bias'], 'convolved_1'),
      node('Relu', ['convolved_1'], 'active_1'),
      node('MaxPool', ['active_1'], 'largest', { kernel_shape: ints([3, 3]), strides: ints([2, 2]) }),
      node('Conv', ['largest', 'second/kernel'], 'convolved_2', { strides: ints([2, 1]), auto_pad: 'SAME_UPPER' }),
      node('Tanh', ['convolved_2'], 'active_2'),
      node('AveragePool', ['active_2'], 'means', { kernel_shape: ints([2, 2]) }),
      node('Transpose', ['means'], 'channels_last', { perm: ints([0, 2, 3, 1]) }),
      node('Flatten', ['channels_last'], 'flat'),
      node('Gemm', ['flat', 'logits/kernel', 'logits/bias'], 'logits'),
    ],
  };
}

const networks: Record<string, () => Network> = {
  'a multilayer perceptron with batch normalisation, Gelu and Relu': perceptron,
  'a small convolutional network': convolutional,
};

for (const [title, build] of Object.entries(networks)) {
  test(`${title}, with soft targets: the loss and all its gradients are those of TensorFlow.js`, async () => {
    const network = build();
    randomise(network.tfjs);
    const x = tf.randomUniform([BATCH, ...network.tfjs.inputs[0]!.shape.slice(1)] as number[], -1, 1, 'float32', 21);
    const targets = tf.softmax(tf.randomUniform([BATCH, CLASSES], -2, 2, 'float32', 22));

    const expected = tf.variableGrads(() => {
      const logits = network.tfjs.apply(x, { training: true }) as tf.Tensor2D;
      return tf.losses.softmaxCrossEntropy(targets, logits);
    });
    const found = await onnxGradients(network, x, targets);

    assertClose('the loss', found.loss, await expected.value.data());
    const trained = network.tfjs.trainableWeights;
    assert.deepEqual([...found.gradients.keys()].sort(), trained.map(({ originalName }) => originalName).sort());
    for (const { name, originalName } of trained) {
      assertClose(originalName, found.gradients.get(originalName), await expected.grads[name]!.data());
    }
  });
}

/** The same gradients by an ONNX graph, each in the order of tfjs. */
async function onnxGradients(network: Network, x: tf.Tensor, targets: tf.Tensor) {
  const orders = network.weightOrders ?? {};
  const weights = network.tfjs.weights.map((weight) => ({
    name: weight.originalName,
    isTrained: weight.trainable && !weight.originalName.includes('/moving_'),
    tensor: ordered(weight.read(), orders[weight.originalName]),
  }));
  const feeds = [
    { name: 'x', tensor: ordered(x, network.inputOrder) },
    { name: 'targets', tensor: targets },
    ...weights,
  ];
  const forward: OnnxGraph = {
    name: 'forward',
    nodes: [
      ...network.nodes,
      // −Σ targets·log softmax / batch
      node('LogSoftmax', ['logits'], 'logarithms'),
      node('Mul', ['targets', 'logarithms'], 'agreement'),
      node('ReduceSum', ['agreement', 'class_axis'], 'by_example', { keepdims: int(0) }),
      node('ReduceMean', ['by_example'], 'mean_agreement', { keepdims: int(0) }),
      node('Neg', ['mean_agreement'], 'loss'),
    ],
    inputs: feeds.map(({ name, tensor }) => value(name, 'float32', tensor.shape)),
    outputs: [],
    initializers: [{ name: 'class_axis', type: 'int64', shape: [1], data: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) }],
    values: [],
  };
  const names = weights.filter(({ isTrained }) => isTrained).map(({ name }) => name);
  const { builder, gradients } = differentiate(forward, { loss: 'loss', withRespectTo: names });
  const graph = builder.graph('gradients', ['loss', ...gradients.values()]);
  const session = await InferenceSession.create(
    encodeModel(model(graph, { opsetImports: [{ domain: '', version: 20 }] })),
  );
  const outputs = await session.run(
    Object.fromEntries(
      graph.inputs.map(({ name }) => {
        const tensor = feeds.find((feed) => feed.name === name)!.tensor;
        return [name, new Tensor('float32', tensor.dataSync<'float32'>(), tensor.shape)];
      }),
    ),
  );
  await session.release();
  const inTfjsOrder = names.map((name) => {
    const { data, dims } = outputs[gradients.get(name) ?? '']!;
    const order = orders[name];
    const inverse = order?.map((_, axis) => order.indexOf(axis));
    return [name, ordered(tf.tensor(data as Float32Array, [...dims]), inverse).dataSync<'float32'>()] as const;
  });
  return { loss: outputs['loss']!.data as Float32Array, gradients: new Map(inTfjsOrder) };
}

function ordered(tensor: tf.Tensor, order: readonly number[] | undefined): tf.Tensor {
  return order === undefined ? tensor : tf.transpose(tensor, [...order]);
}

/** Weights around 0, scales around 1: far from where a layer does nothing. */
function randomise(network: LayersModel): void {
  network.setWeights(
    network.weights.map(({ originalName, shape }, index) => {
      const [low, high] = /gamma|variance/.test(originalName) ? [0.5, 1.5] : [-0.6, 0.6];
      return tf.randomUniform(shape as number[], low, high, 'float32', index + 1);
    }),
  );
}

function assertClose(title: string, found: Float32Array | undefined, expected: ArrayLike<number>): void {
  assert.equal(found?.length, expected.length, `the number of elements of the gradient by ${title}`);
  const scale = Math.max(...Array.from(expected, Math.abs));
  const error = Math.max(...Array.from(expected, (each, at) => Math.abs(each - (found?.[at] ?? NaN)))) / scale;
  assert.ok(scale > 1e-4 && error <= TOLERANCE, `${title} differs by ${error} of its largest element, ${scale}.`);
}
