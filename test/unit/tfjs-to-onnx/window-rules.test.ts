import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { float32Values } from '@atelier/onnx';
import { convert, type ConvertOptions } from '@atelier/tfjs-to-onnx';
import { sequential, type WeightJson } from './artifacts.ts';
import { listed } from './listed.ts';

type Config = Readonly<Record<string, unknown>>;

/** A layer named y on an input named x, with its channels first unless it says another: no Transposes around it. */
function convertOne(
  inputShape: readonly (number | null)[],
  className: string,
  config: Config,
  weights: readonly WeightJson[] = [],
  options: ConvertOptions = {},
) {
  const layer = [className, { name: 'y', data_format: 'channels_first', ...config }] as const;
  const { model, summary } = convert(sequential(inputShape, [layer], weights), { semantics: 'keras', ...options });
  return { nodes: listed(model.graph), graph: model.graph, warnings: summary.warnings };
}

const kernel = (...shape: number[]): WeightJson => ['y/kernel', shape];
const bias = (count: number): WeightJson => ['y/bias', [count]];

const cases: [
  title: string,
  inputShape: (number | null)[],
  layer: [className: string, config: Config],
  weights: WeightJson[],
  nodes: string[],
  outputShape: unknown[],
][] = [
  [
    'a Conv2D without padding has no more to say than its weights',
    [3, 8, 9],
    ['Conv2D', { filters: 4, kernel_size: [2, 3] }],
    [kernel(2, 3, 3, 4), bias(4)],
    ['y = Conv(x, y/kernel, y/bias)'],
    ['batch', 4, 7, 7],
  ],
  [
    'padding same of a known size is numbers, what is odd at the end',
    [3, 8, 9],
    ['Conv2D', { filters: 4, kernel_size: 3, strides: 2, padding: 'same', use_bias: false }],
    [kernel(3, 3, 3, 4)],
    ['y = Conv(x, y/kernel) {strides: [2,2], pads: [0,1,1,1]}'],
    ['batch', 4, 4, 5],
  ],
  [
    'padding same of an open size is left to the runtime where the size decides',
    [3, null, 9],
    ['Conv2D', { filters: 4, kernel_size: 3, strides: 2, padding: 'same', use_bias: false }],
    [kernel(3, 3, 3, 4)],
    ['y = Conv(x, y/kernel) {strides: [2,2], auto_pad: "SAME_UPPER"}'],
    ['batch', 4, null, 5],
  ],
  [
    'padding same of an open size is numbers where the size does not matter',
    [3, null, null],
    ['Conv2D', { filters: 4, kernel_size: [3, 5], dilation_rate: [2, 1], padding: 'same', use_bias: false }],
    [kernel(3, 5, 3, 4)],
    ['y = Conv(x, y/kernel) {dilations: [2,1], pads: [2,2,2,2]}'],
    ['batch', 4, 'x_axis_2', 'x_axis_3'],
  ],
  [
    'a window of two elements has the same pads whatever the size',
    [3, null],
    ['MaxPooling1D', { padding: 'same' }],
    [],
    ['y = MaxPool(x) {kernel_shape: [2], strides: [2], pads: [0,1]}'],
    ['batch', 3, null],
  ],
  [
    'padding causal is in front',
    [3, null],
    ['Conv1D', { filters: 2, kernel_size: [3], dilation_rate: [2], padding: 'causal', use_bias: false }],
    [kernel(3, 3, 2)],
    ['y = Conv(x, y/kernel) {dilations: [2], pads: [4,0]}'],
    ['batch', 2, 'x_axis_2'],
  ],
  [
    'groups are an attribute',
    [4, 5],
    ['Conv1D', { filters: 6, kernel_size: 1, groups: 2, activation: 'relu' }],
    [kernel(1, 2, 6), bias(6)],
    ['y/convolved = Conv(x, y/kernel, y/bias) {group: 2}', 'y = Relu(y/convolved)'],
    ['batch', 6, 5],
  ],
  [
    'channels last are brought to the front and back',
    [8, 9, 3],
    ['Conv2D', { filters: 4, kernel_size: 1, data_format: 'channels_last' }],
    [kernel(1, 1, 3, 4), bias(4)],
    [
      'y/channels_first = Transpose(x) {perm: [0,3,1,2]}',
      'y/convolved = Conv(y/channels_first, y/kernel, y/bias)',
      'y = Transpose(y/convolved) {perm: [0,2,3,1]}',
    ],
    ['batch', 8, 9, 4],
  ],
  [
    'a depthwise convolution has a group for each channel',
    [3, 8, 9],
    ['DepthwiseConv2D', { kernel_size: 3, depth_multiplier: 2, padding: 'same' }],
    [['y/depthwise_kernel', [3, 3, 3, 2]], bias(6)],
    ['y = Conv(x, y/depthwise_kernel, y/bias) {pads: [1,1,1,1], group: 3}'],
    ['batch', 6, 8, 9],
  ],
  [
    'a separable convolution is two',
    [3, 8, 9],
    ['SeparableConv2D', { filters: 4, kernel_size: 3 }],
    [['y/depthwise_kernel', [3, 3, 3, 1]], ['y/pointwise_kernel', [1, 1, 3, 4]], bias(4)],
    ['y/convolved = Conv(x, y/depthwise_kernel) {group: 3}', 'y = Conv(y/convolved, y/pointwise_kernel, y/bias)'],
    ['batch', 4, 6, 7],
  ],
  [
    'a transposed convolution with padding same cuts off what is more than the strides',
    [3, null, null],
    ['Conv2DTranspose', { filters: 4, kernel_size: [4, 3], strides: 2, padding: 'same' }],
    [kernel(4, 3, 4, 3), bias(4)],
    ['y = ConvTranspose(x, y/kernel, y/bias) {strides: [2,2], pads: [1,0,1,1]}'],
    ['batch', 4, null, null],
  ],
  [
    'a transposed convolution whose strides are larger than its kernel adds what is missing',
    [3, 5],
    ['Conv1DTranspose', { filters: 4, kernel_size: 2, strides: 3 }],
    [kernel(2, 4, 3), bias(4)],
    ['y = ConvTranspose(x, y/kernel, y/bias) {strides: [3], output_padding: [1]}'],
    ['batch', 4, 15],
  ],
  [
    'a mean does not count padding, which is the default of the operator',
    [3, 8, 9],
    ['AveragePooling2D', { pool_size: 3, strides: 1, padding: 'same' }],
    [],
    ['y = AveragePool(x) {kernel_shape: [3,3], pads: [1,1,1,1]}'],
    ['batch', 3, 8, 9],
  ],
  [
    'a global pool is a reduction',
    [3, 8, 9],
    ['GlobalAveragePooling2D', {}],
    [],
    ['y = ReduceMean(x) {axes: [2,3], keepdims: 0}'],
    ['batch', 3],
  ],
  [
    'no zeros around are no node',
    [3, 8, 9],
    ['ZeroPadding2D', { padding: 0 }],
    [],
    ['y = Identity(x)'],
    ['batch', 3, 8, 9],
  ],
  [
    'cropping is one Slice',
    [3, 8, null],
    [
      'Cropping2D',
      {
        cropping: [
          [1, 0],
          [0, 2],
        ],
      },
    ],
    [],
    ['y = Slice(x, y/starts, y/ends, y/axes)'],
    ['batch', 3, 7, null],
  ],
  [
    'up-sampling is Resize by whole factors',
    [3, 8, null],
    ['UpSampling2D', { size: [2, 3] }],
    [],
    [
      'y = Resize(x, , y/scales) {mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor"}',
    ],
    ['batch', 3, 16, null],
  ],
];

for (const [title, inputShape, [className, config], weights, nodes, outputShape] of cases) {
  test(title, () => {
    const converted = convertOne(inputShape, className, config, weights);
    assert.deepEqual(converted.nodes, nodes);
    assert.deepEqual(converted.graph.outputs[0]?.shape, outputShape);
  });
}

test('kernels lie as ONNX has them', () => {
  const initializer = (className: string, config: Config, ...weights: WeightJson[]) => {
    const { graph } = convertOne([2, 3], className, { kernel_size: 1, use_bias: false, ...config }, weights);
    return { shape: graph.initializers[0]?.shape, values: [...float32Values(graph.initializers[0] ?? assert.fail())] };
  };
  assert.deepEqual(initializer('Conv1D', { filters: 3 }, kernel(1, 2, 3)), {
    shape: [3, 2, 1],
    values: [0, 3, 1, 4, 2, 5],
  });
  assert.deepEqual(initializer('Conv1DTranspose', { filters: 3 }, kernel(1, 3, 2)), {
    shape: [2, 3, 1],
    values: [0, 2, 4, 1, 3, 5],
  });
  const depthwise = initializer('DepthwiseConv1D', { depth_multiplier: 3 }, ['y/depthwise_kernel', [1, 2, 3]]);
  assert.deepEqual(depthwise, { shape: [6, 1, 1], values: [0, 1, 2, 3, 4, 5] });
});

test('the multiplier of a SeparableConv2D that TensorFlow.js does not write down is that of its kernel', () => {
  const weights: WeightJson[] = [
    ['y/depthwise_kernel', [1, 1, 3, 2]],
    ['y/pointwise_kernel', [1, 1, 6, 4]],
  ];
  const config = { filters: 4, kernel_size: 1, use_bias: false };
  const { graph } = convertOne([3, 8, 9], 'SeparableConv2D', config, weights);
  assert.deepEqual(graph.initializers[0]?.shape, [6, 1, 1, 1]);
});

test('TensorFlow.js pools along axis 1 whatever data_format says', () => {
  const { nodes, warnings } = convertOne([6, 3], 'MaxPooling1D', {}, [], { semantics: 'tfjs' });
  assert.equal(nodes[0], 'y/channels_first = Transpose(x) {perm: [0,2,1]}');
  assert.match(warnings.join(), /TensorFlow.js ignores data_format "channels_first" of a MaxPooling1D/);
});

test('TensorFlow.js leaves the channels of a Conv1D last whatever data_format says', () => {
  const config = { filters: 2, kernel_size: 1, use_bias: false };
  const { graph } = convertOne([3, 6], 'Conv1D', config, [kernel(1, 3, 2)], { semantics: 'tfjs' });
  assert.deepEqual(graph.outputs[0]?.shape, ['batch', 6, 2]);
});

const refused: [
  string,
  (number | null)[],
  [string, Config],
  WeightJson[],
  DomainError['code'],
  RegExp,
  ConvertOptions?,
][] = [
  [
    'a rank that a layer does not take',
    [8, 9],
    ['Conv2D', { filters: 1, kernel_size: 1 }],
    [],
    'malformed-tfjs-model',
    /"y" \(Conv2D\) takes \[batch, 8, 9\]; expected rank 4, with the batch/,
  ],
  [
    'channels that nobody knows',
    [null, 8, 9],
    ['Conv2D', { filters: 1, kernel_size: 1 }],
    [],
    'malformed-tfjs-model',
    /takes an unknown number of channels/,
  ],
  [
    'groups that do not divide the channels',
    [3, 8, 9],
    ['Conv2D', { filters: 2, kernel_size: 1, groups: 2 }],
    [],
    'malformed-tfjs-model',
    /2 groups, 3 channels and 2 filters; expected multiples/,
  ],
  [
    'a missing kernel size',
    [3, 8, 9],
    ['Conv2D', { filters: 2 }],
    [],
    'malformed-tfjs-model',
    /kernel_size missing; expected 2 whole numbers/,
  ],
  [
    'a window that does not fit',
    [3, 8, 2],
    ['MaxPooling2D', { pool_size: 3 }],
    [],
    'malformed-tfjs-model',
    /reaches over 3 elements of 2, without padding/,
  ],
  [
    'causal padding of two axes',
    [3, 8, 9],
    ['Conv2D', { filters: 2, kernel_size: 2, padding: 'causal', use_bias: false }],
    [kernel(2, 2, 3, 2)],
    'malformed-tfjs-model',
    /padding causal; expected it of one axis/,
  ],
  [
    'an unknown padding',
    [3, 8, 9],
    ['Conv2D', { filters: 2, kernel_size: 2, padding: 'full', use_bias: false }],
    [kernel(2, 2, 3, 2)],
    'malformed-tfjs-model',
    /padding "full"; expected valid or same or causal/,
  ],
  [
    'strides beyond a window of an open size',
    [3, null],
    ['MaxPooling1D', { pool_size: 3, strides: 4, padding: 'same' }],
    [],
    'unsupported-layer',
    /strides that are larger than its window, over an open size. Give the size .* --input-shape/,
  ],
  [
    'strides beyond a window of an open size in three dimensions of TensorFlow.js',
    [3, 4, null, 4],
    ['MaxPooling3D', { pool_size: 1, strides: 2, padding: 'same' }],
    [],
    'unsupported-layer',
    /--input-shape/,
    { semantics: 'tfjs' },
  ],
  [
    'cropping that leaves nothing',
    [3, 4, 4],
    ['Cropping2D', { cropping: 2 }],
    [],
    'malformed-tfjs-model',
    /takes 2 and 2 elements off an axis of 4/,
  ],
  [
    'padding of another form',
    [3, 4, 4],
    ['ZeroPadding2D', { padding: [1, 2, 3] }],
    [],
    'malformed-tfjs-model',
    /padding \[1,2,3\]; expected a count/,
  ],
  [
    'an interpolation of Keras alone',
    [3, 4, 4],
    ['UpSampling2D', { interpolation: 'bicubic' }],
    [],
    'unsupported-layer',
    /interpolation "bicubic"; supported: nearest, bilinear/,
  ],
  [
    'a Resizing that pads',
    [3, 4, 4],
    ['Resizing', { height: 2, width: 2, pad_to_aspect_ratio: true }],
    [],
    'unsupported-layer',
    /Resizing with pad_to_aspect_ratio/,
  ],
  [
    'the nearest elements of an open size',
    [3, null, 4],
    ['Resizing', { height: 2, width: 2, interpolation: 'nearest' }],
    [],
    'unsupported-layer',
    /nearest elements of images of any size.*--input-shape/,
  ],
  [
    'the middle of an open size',
    [3, null, 4],
    ['CenterCrop', { height: 2, width: 2 }],
    [],
    'unsupported-layer',
    /CenterCrop of images of any size.*--input-shape/,
  ],
];

for (const [title, inputShape, [className, config], weights, code, message, options] of refused) {
  test(`refused: ${title}`, () => {
    assert.throws(
      () => convertOne(inputShape, className, config, weights, options),
      (error) => error instanceof DomainError && error.code === code && message.test(error.message),
    );
  });
}
