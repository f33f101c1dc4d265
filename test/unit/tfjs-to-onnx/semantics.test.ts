import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convert, type LayersModelArtifacts, type Semantics } from '@atelier/tfjs-to-onnx';
import { functional, type LayerJson, sequential, type WeightJson } from './artifacts.ts';

/** A setting that Keras follows and TensorFlow.js does not. */
interface IgnoredSetting {
  key: string;
  /** A file with the setting, or with what TensorFlow.js takes in its place. */
  file: (isWritten: boolean) => LayersModelArtifacts;
}

/** A layer of one input. `without` is what the file says where the setting is not written. */
function ofLayer(
  className: string,
  key: string,
  value: unknown,
  {
    shape = [4, 4, 2],
    config = {},
    weights = [],
    without,
  }: { shape?: (number | null)[]; config?: object; weights?: WeightJson[]; without?: unknown } = {},
): [title: string, IgnoredSetting] {
  const layer = (isWritten: boolean): LayerJson => {
    const setting = isWritten ? value : without;
    return [className, { name: 'l', ...config, ...(setting !== undefined && { [key]: setting }) }];
  };
  return [`${key} of a ${className}`, { key, file: (isWritten) => sequential(shape, [layer(isWritten)], weights) }];
}

const lstm: WeightJson[] = [
  ['l/kernel', [2, 4]],
  ['l/recurrent_kernel', [1, 4]],
  ['l/bias', [4]],
];
const window = { kernel_size: [2, 2], strides: [2, 2], filters: 2, use_bias: false };

const SETTINGS = new Map<string, IgnoredSetting>([
  ofLayer('ReLU', 'negative_slope', 0.1),
  ofLayer('ReLU', 'threshold', 0.5),
  ofLayer('LeakyReLU', 'negative_slope', 0.1),
  ofLayer('DepthwiseConv2D', 'dilation_rate', [2, 2], {
    config: { kernel_size: [2, 2], use_bias: false },
    weights: [['l/depthwise_kernel', [2, 2, 2, 1]]],
  }),
  ofLayer('Conv2DTranspose', 'output_padding', [1, 1], { config: window, weights: [['l/kernel', [2, 2, 2, 2]]] }),
  ofLayer('Conv2DTranspose', 'dilation_rate', [2, 2], {
    config: { ...window, strides: [1, 1] },
    weights: [['l/kernel', [2, 2, 2, 2]]],
  }),
  ofLayer('Conv3DTranspose', 'output_padding', [1, 1, 1], {
    shape: [3, 3, 3, 2],
    config: { kernel_size: [2, 2, 2], strides: [2, 2, 2], filters: 2, use_bias: false },
    weights: [['l/kernel', [2, 2, 2, 2, 2]]],
  }),
  ...['GlobalAveragePooling1D', 'GlobalMaxPooling1D'].map((name) => ofLayer(name, 'keepdims', true, { shape: [4, 2] })),
  ...['GlobalAveragePooling2D', 'GlobalMaxPooling2D'].map((name) => ofLayer(name, 'keepdims', true)),
  ofLayer('Resizing', 'data_format', 'channels_first', {
    shape: [4, 6, 4],
    config: { height: 2, width: 2, interpolation: 'nearest' },
  }),
  [
    'zero_output_for_mask of an LSTM',
    {
      key: 'zero_output_for_mask',
      file: (isWritten) =>
        sequential(
          [5, 2],
          [
            ['Masking', { name: 'm' }],
            ['LSTM', { name: 'l', units: 1, return_sequences: true, ...(isWritten && { zero_output_for_mask: true }) }],
          ],
          lstm,
        ),
    },
  ],
  [
    'axis -2 of a Concatenate',
    {
      key: 'axis',
      file: (isWritten) =>
        functional(
          [
            ['InputLayer', { name: 'x', batch_input_shape: [null, 3, 2] }, []],
            [
              'Concatenate',
              { name: 'l', axis: isWritten ? -2 : -1 },
              [
                [
                  ['x', 0, 0, {}],
                  ['x', 0, 0, {}],
                ],
              ],
            ],
          ],
          [['l', 0, 0]],
        ),
    },
  ],
  [
    'count_weights in the call of a CategoryEncoding',
    {
      key: 'count_weights',
      file: (isWritten) =>
        functional(
          [
            ['InputLayer', { name: 'x', batch_input_shape: [null, 3] }, []],
            ['InputLayer', { name: 'w', batch_input_shape: [null, 3] }, []],
            [
              'CategoryEncoding',
              { name: 'l', num_tokens: 4, output_mode: 'count' },
              [[['x', 0, 0, isWritten ? { count_weights: ['w', 0, 0] } : {}]]],
            ],
          ],
          [['l', 0, 0]],
        ),
    },
  ],
]);

/** Who wrote a file, in the two places that say so. */
const WRITERS: Record<string, (file: LayersModelArtifacts) => LayersModelArtifacts> = {
  'TensorFlow.js': (file) => ({ ...file, generatedBy: 'TensorFlow.js tfjs-layers v4.22.0' }),
  'TensorFlow.js, by its version alone': (file) => withVersion(file, 'tfjs-layers 4.22.0'),
  Keras: (file) => withVersion({ ...file, generatedBy: 'keras v2.15.0' }, '2.15.0'),
  'Keras, which the converter wrote down': (file) => ({ ...file, convertedBy: 'TensorFlow.js Converter v4.22.0' }),
};

function withVersion(file: LayersModelArtifacts, keras_version: string): LayersModelArtifacts {
  return { ...file, modelTopology: { ...(file.modelTopology as object), keras_version } };
}

/** By who wrote the file and what was asked for: whether the setting is followed, and what the caller is told. */
const EXPECTED: [
  writer: string,
  asked: Semantics | undefined,
  isFollowed: boolean,
  told: 'ignores' | 'follows' | undefined,
][] = [
  ['TensorFlow.js', undefined, false, 'ignores'],
  ['TensorFlow.js', 'tfjs', false, 'ignores'],
  ['TensorFlow.js', 'keras', true, undefined],
  ['TensorFlow.js, by its version alone', undefined, false, 'ignores'],
  ['Keras', undefined, true, 'follows'],
  ['Keras', 'tfjs', false, 'ignores'],
  ['Keras', 'keras', true, undefined],
  ['Keras, which the converter wrote down', undefined, true, 'follows'],
];

/** What is computed, without what the constants are called. */
function computed(file: LayersModelArtifacts, semantics: Semantics | undefined) {
  const { model, summary } = convert(file, semantics && { semantics });
  const { nodes, outputs, initializers } = model.graph;
  return { graph: { nodes, outputs, initializers: new Set(initializers) }, warnings: summary.warnings };
}

for (const [title, { key, file }] of SETTINGS) {
  for (const [writer, semantics, isFollowed, told] of EXPECTED) {
    const asked = semantics === undefined ? '' : `, where "${semantics}" is asked for,`;
    test(`${title} in a file by ${writer}${asked} is ${isFollowed ? 'followed' : 'ignored'}`, () => {
      const written = WRITERS[writer] ?? assert.fail();
      const found = computed(written(file(true)), semantics);
      const reading: Semantics = isFollowed ? 'keras' : 'tfjs';
      assert.deepEqual(found.graph, computed(file(isFollowed), reading).graph);
      assert.notDeepEqual(found.graph, computed(file(!isFollowed), reading === 'keras' ? 'tfjs' : 'keras').graph);
      const aboutIt = found.warnings.filter((warning) => warning.includes(key));
      assert.equal(aboutIt.length, told ? 1 : 0);
      if (told === 'ignores') assert.match(aboutIt[0] ?? '', /TensorFlow\.js ignores .*; semantics "keras" follows it/);
      if (told === 'follows') assert.match(aboutIt[0] ?? '', /The ONNX model follows .*; TensorFlow\.js ignores it/);
    });
  }
}

test('groups of a Conv2D: Keras has a kernel for each, TensorFlow.js one for all', () => {
  const file = (inputs: number) =>
    sequential(
      [3, 3, 4],
      [['Conv2D', { name: 'l', filters: 2, kernel_size: 1, groups: 2, use_bias: false }]],
      [['l/kernel', [1, 1, inputs, 2]]],
    );
  assert.deepEqual(convert(file(2)).summary.operators['Conv'], 1);
  assert.match(convert(file(2)).summary.warnings[0] ?? '', /follows groups 2 of a Conv2D/);
  assert.match(convert(file(4), { semantics: 'tfjs' }).summary.warnings[0] ?? '', /ignores groups 2 of a Conv2D/);
  assert.throws(() => convert(file(2), { semantics: 'tfjs' }), /expected float32 \[1, 1, 4, 2\]/);
});
