import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float32Values, int64Values } from '@atelier/onnx';
import { convert } from '@atelier/tfjs-to-onnx';
import { type LayerJson, sequential, type WeightJson } from './artifacts.ts';
import { listed } from './listed.ts';

function convertOne(inputShape: (number | null)[], layer: LayerJson, weights: WeightJson[] = []) {
  const { model, summary } = convert(sequential(inputShape, [layer], weights));
  return { graph: model.graph, summary, nodes: listed(model.graph) };
}

const kernel: WeightJson = ['d/kernel', [4, 2]];
const bias: WeightJson = ['d/bias', [2]];

const cases: [
  title: string,
  inputShape: (number | null)[],
  layer: LayerJson,
  weights: WeightJson[],
  nodes: string[],
  outputShape: unknown[],
][] = [
  [
    'Dense on a matrix is one Gemm',
    [4],
    ['Dense', { name: 'd', units: 2 }],
    [kernel, bias],
    ['d = Gemm(x, d/kernel, d/bias)'],
    ['batch', 2],
  ],
  [
    'Dense without bias is a Gemm of two inputs',
    [4],
    ['Dense', { name: 'd', units: 2, use_bias: false }],
    [kernel],
    ['d = Gemm(x, d/kernel)'],
    ['batch', 2],
  ],
  [
    'Dense on rank 3 is MatMul and Add',
    [3, 4],
    ['Dense', { name: 'd', units: 2 }],
    [kernel, bias],
    ['d/product = MatMul(x, d/kernel)', 'd = Add(d/product, d/bias)'],
    ['batch', 3, 2],
  ],
  [
    'Dense on rank 4 without bias is MatMul',
    [5, null, 4],
    ['Dense', { name: 'd', units: 2, use_bias: false }],
    [kernel],
    ['d = MatMul(x, d/kernel)'],
    ['batch', 5, 'x_axis_2', 2],
  ],
  [
    'the activation of a Dense layer follows it',
    [4],
    ['Dense', { name: 'd', units: 2, activation: 'relu' }],
    [kernel, bias],
    ['d/preactivation = Gemm(x, d/kernel, d/bias)', 'd = Relu(d/preactivation)'],
    ['batch', 2],
  ],
  ['Flatten keeps the batch', [2, 3], ['Flatten', { name: 'f' }], [], ['f = Flatten(x) {axis: 1}'], ['batch', 6]],
  [
    'Flatten with channels first brings them last',
    [2, 3, 4],
    ['Flatten', { name: 'f', data_format: 'channels_first' }],
    [],
    ['f/channels_last = Transpose(x) {perm: [0,2,3,1]}', 'f = Flatten(f/channels_last) {axis: 1}'],
    ['batch', 24],
  ],
  [
    'Reshape keeps the batch',
    [6],
    ['Reshape', { name: 'r', target_shape: [2, 3] }],
    [],
    ['r = Reshape(x, r/shape)'],
    ['batch', 2, 3],
  ],
  [
    'Reshape finds the open size',
    [6],
    ['Reshape', { name: 'r', target_shape: [2, -1] }],
    [],
    ['r = Reshape(x, r/shape)'],
    ['batch', 2, 3],
  ],
  [
    'Reshape leaves a size open that nobody knows',
    [null, 2],
    ['Reshape', { name: 'r', target_shape: [null] }],
    [],
    ['r = Reshape(x, r/shape)'],
    ['batch', null],
  ],
  ['ReLU', [4], ['ReLU', { name: 'a' }], [], ['a = Relu(x)'], ['batch', 4]],
  [
    'ReLU with a maximum is Clip',
    [4],
    ['ReLU', { name: 'a', max_value: 6 }],
    [],
    ['a = Clip(x, a/minimum, a/maximum)'],
    ['batch', 4],
  ],
  [
    'LeakyReLU has slope 0.3 unless it says another',
    [4],
    ['LeakyReLU', { name: 'a' }],
    [],
    ['a = LeakyRelu(x) {alpha: 0.3}'],
    ['batch', 4],
  ],
  [
    'LeakyReLU with alpha',
    [4],
    ['LeakyReLU', { name: 'a', alpha: 0.1 }],
    [],
    ['a = LeakyRelu(x) {alpha: 0.1}'],
    ['batch', 4],
  ],
  ['ELU', [4], ['ELU', { name: 'a', alpha: 1 }], [], ['a = Elu(x) {alpha: 1}'], ['batch', 4]],
  [
    'ThresholdedReLU',
    [4],
    ['ThresholdedReLU', { name: 'a', theta: 0.5 }],
    [],
    ['a = ThresholdedRelu(x) {alpha: 0.5}'],
    ['batch', 4],
  ],
  [
    'a Softmax layer that names no axis works along the last',
    [3, 4],
    ['Softmax', { name: 's' }],
    [],
    ['s = Softmax(x) {axis: 2}'],
    ['batch', 3, 4],
  ],
  [
    'a Softmax layer with a negative axis counts from the end',
    [3, 4],
    ['Softmax', { name: 's', axis: [-1] }],
    [],
    ['s = Softmax(x) {axis: 2}'],
    ['batch', 3, 4],
  ],
  [
    'Rescaling multiplies and adds',
    [4],
    ['Rescaling', { name: 's', scale: 0.5, offset: -1 }],
    [],
    ['s/scaled = Mul(x, s/scale)', 's = Add(s/scaled, s/offset)'],
    ['batch', 4],
  ],
  [
    'Rescaling without offset multiplies',
    [4],
    ['Rescaling', { name: 's', scale: 0.5 }],
    [],
    ['s = Mul(x, s/scale)'],
    ['batch', 4],
  ],
  [
    'Rescaling by one adds',
    [4],
    ['Rescaling', { name: 's', scale: 1, offset: 2 }],
    [],
    ['s = Add(x, s/offset)'],
    ['batch', 4],
  ],
];

for (const [title, inputShape, layer, weights, nodes, outputShape] of cases) {
  test(title, () => {
    const converted = convertOne(inputShape, layer, weights);
    assert.deepEqual(converted.nodes, nodes);
    assert.deepEqual(converted.graph.outputs, [{ name: layer[1]['name'], type: 'float32', shape: outputShape }]);
  });
}

const activations: [name: string, nodes: string[]][] = [
  ['elu', ['a = Elu(x)']],
  ['exponential', ['a = Exp(x)']],
  [
    'gelu',
    [
      'a/scaled = Div(x, a/root_of_two)',
      'a/erf = Erf(a/scaled)',
      'a/twice_cdf = Add(a/erf, a/one)',
      'a/twice_gelu = Mul(x, a/twice_cdf)',
      'a = Mul(a/twice_gelu, a/half)',
    ],
  ],
  ['hard_sigmoid', ['a = HardSigmoid(x) {alpha: 0.2, beta: 0.5}']],
  ['hardSigmoid', ['a = HardSigmoid(x) {alpha: 0.2, beta: 0.5}']],
  ['log_softmax', ['a = LogSoftmax(x) {axis: -1}']],
  ['mish', ['a/softplus = Softplus(x)', 'a/gate = Tanh(a/softplus)', 'a = Mul(x, a/gate)']],
  ['relu', ['a = Relu(x)']],
  ['relu6', ['a = Clip(x, a/minimum, a/maximum)']],
  ['selu', ['a = Selu(x)']],
  ['sigmoid', ['a = Sigmoid(x)']],
  ['silu', ['a/gate = Sigmoid(x)', 'a = Mul(x, a/gate)']],
  ['softmax', ['a = Softmax(x) {axis: -1}']],
  ['softplus', ['a = Softplus(x)']],
  ['softsign', ['a = Softsign(x)']],
  ['swish', ['a/gate = Sigmoid(x)', 'a = Mul(x, a/gate)']],
  ['tanh', ['a = Tanh(x)']],
];

for (const [activation, nodes] of activations) {
  test(`activation ${activation}`, () => {
    assert.deepEqual(convertOne([4], ['Activation', { name: 'a', activation }]).nodes, nodes);
  });
}

test('the tanh form of gelu is eight nodes with the constants of the paper', () => {
  const { graph, nodes } = convertOne([4], ['Activation', { name: 'a', activation: 'gelu_new' }]);
  assert.equal(nodes.length, 8);
  const constants = Object.fromEntries(graph.initializers.map((tensor) => [tensor.name, float32Values(tensor)[0]]));
  assert.equal(constants['a/cubic_weight'], Math.fround(0.044715));
  assert.equal(constants['a/root_of_two_over_pi'], Math.fround(Math.sqrt(2 / Math.PI)));
});

test('an activation may be written as an object with a class name', () => {
  const { nodes } = convertOne([4], ['Activation', { name: 'a', activation: { class_name: 'swish', config: {} } }]);
  assert.deepEqual(nodes, ['a/gate = Sigmoid(x)', 'a = Mul(x, a/gate)']);
});

test('Reshape writes 0 for the batch and -1 for the open size', () => {
  const { graph } = convertOne([null, 2], ['Reshape', { name: 'r', target_shape: [-1, 1] }]);
  assert.deepEqual([...int64Values(graph.initializers[0] ?? assert.fail())], [0n, -1n, 1n]);
});

test('Clip limits to 0 and the maximum', () => {
  const { graph } = convertOne([4], ['ReLU', { name: 'a', max_value: 2.5 }]);
  assert.deepEqual(
    graph.initializers.map((tensor) => [tensor.name, ...float32Values(tensor)]),
    [
      ['a/minimum', 0],
      ['a/maximum', 2.5],
    ],
  );
});

const statistics = (channels: number): WeightJson[] => [
  ['n/gamma', [channels], [2, 3, 4].slice(0, channels)],
  ['n/beta', [channels], [10, 20, 30].slice(0, channels)],
  ['n/moving_mean', [channels], [1, 2, 3].slice(0, channels)],
  ['n/moving_variance', [channels], [3, 8, 15].slice(0, channels)],
];

for (const className of ['BatchNormalizationV1', 'BatchNormalizationV2', 'SyncBatchNormalization']) {
  test(`${className} is BatchNormalization at inference`, () => {
    assert.deepEqual(
      convertOne([3], [className, { name: 'n' }], statistics(3)).nodes,
      convertOne([3], ['BatchNormalization', { name: 'n' }], statistics(3)).nodes,
    );
  });
}

test('BatchNormalization of a matrix is the operator, with its epsilon written', () => {
  const { nodes, graph } = convertOne([3], ['BatchNormalization', { name: 'n' }], statistics(3));
  assert.deepEqual(nodes, [
    'n = BatchNormalization(x, n/gamma, n/beta, n/moving_mean, n/moving_variance) {epsilon: 0.001}',
  ]);
  assert.equal(graph.initializers.length, 4);
});

test('BatchNormalization without scale and centre has ones for gamma and zeros for beta', () => {
  const { graph } = convertOne(
    [3],
    ['BatchNormalization', { name: 'n', scale: false, center: false, epsilon: 0.5, axis: [1] }],
    statistics(3).slice(2),
  );
  assert.deepEqual(
    graph.initializers.slice(0, 2).map((tensor) => [tensor.name, ...float32Values(tensor)]),
    [
      ['n/gamma', 1, 1, 1],
      ['n/beta', 0, 0, 0],
    ],
  );
});

test('BatchNormalization of any other axis is the operator between two transpositions', () => {
  const { nodes, summary } = convertOne([2, 3], ['BatchNormalization', { name: 'n', axis: -1 }], statistics(3));
  assert.deepEqual(nodes, [
    'n/channels_first = Transpose(x) {perm: [0,2,1]}',
    'n/BatchNormalization = BatchNormalization(n/channels_first, n/gamma, n/beta, n/moving_mean, n/moving_variance) {epsilon: 0.001}',
    'n = Transpose(n/BatchNormalization) {perm: [0,2,1]}',
  ]);
  assert.equal(summary.parameters, 12);
});

test('BatchNormalization of an inner axis has it behind the batch', () => {
  const { nodes } = convertOne([5, 2, 7], ['BatchNormalization', { name: 'n', axis: 2 }], statistics(2));
  assert.equal(nodes[0], 'n/channels_first = Transpose(x) {perm: [0,2,1,3]}');
  assert.equal(nodes.at(-1), 'n = Transpose(n/BatchNormalization) {perm: [0,2,1,3]}');
});

for (const className of ['Dropout', 'SpatialDropout1D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout']) {
  test(`${className} vanishes, and the layer before it gives the output under the name of the ${className}`, () => {
    const { model, summary } = convert(
      sequential(
        [4],
        [
          ['Dense', { name: 'd', units: 2 }],
          [className, { name: 'last', rate: 0.5 }],
        ],
        [kernel, bias],
      ),
    );
    assert.deepEqual(listed(model.graph), ['last = Gemm(x, d/kernel, d/bias)']);
    assert.deepEqual(
      summary.outputs.map(({ name }) => name),
      ['last'],
    );
  });
}

test('layers that change nothing leave no node', () => {
  const weights: WeightJson[] = [kernel, bias];
  const { model } = convert(
    sequential(
      [4],
      [
        ['Dropout', { name: 'first', rate: 0.1 }],
        ['Flatten', { name: 'flat' }],
        ['Reshape', { name: 'same', target_shape: [4] }],
        ['Activation', { name: 'identity', activation: 'linear' }],
        ['Rescaling', { name: 'unscaled', scale: 1, offset: 0 }],
        ['Dense', { name: 'd', units: 2 }],
      ],
      weights,
    ),
  );
  assert.deepEqual(listed(model.graph), ['d = Gemm(x, d/kernel, d/bias)']);
});

test('a model that changes nothing is one Identity, because an input cannot be an output', () => {
  const { model } = convert(sequential([4], [['Dropout', { name: 'd', rate: 0.5 }]]));
  assert.deepEqual(listed(model.graph), ['d = Identity(x)']);
  assert.deepEqual(listed(convert(sequential([4], [])).model.graph), ['x/output = Identity(x)']);
});
