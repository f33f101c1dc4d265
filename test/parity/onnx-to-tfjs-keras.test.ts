import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  float,
  float32Tensor,
  int,
  int64Vector,
  ints,
  model,
  node,
  type OnnxModel,
  type OnnxNode,
  value,
} from '@atelier/onnx';
import { assertSamePredictions } from '../support/onnx-to-tfjs-parity.ts';
import { uniform } from '../../scripts/src/verification/uniform.ts';

const TO_CHANNELS_FIRST = { perm: ints([0, 3, 1, 2]) };
const TO_CHANNELS_LAST = { perm: ints([0, 2, 3, 1]) };

/**
 * A small network as tf2onnx writes a Keras model: images stay channels last, each convolution stands between two
 * Transposes of which the inner ones are gone, weights are called after the variables that they were read from.
 */
function kerasNetwork(): OnnxModel {
  const next = uniform(1);
  const random = (name: string, shape: number[], centre = 0) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return float32Tensor(
      name,
      shape,
      Float32Array.from({ length: count }, () => centre + next() - 0.5),
    );
  };
  const read = (layer: string, what: string) => `sequential/${layer}/${what}/ReadVariableOp:0`;
  const named = (name: string, written: OnnxNode): OnnxNode => ({ ...written, name });
  const nodes = [
    named('sequential/conv2d/Conv2D__6', node('Transpose', ['conv2d_input'], 'first:0', TO_CHANNELS_FIRST)),
    named(
      'sequential/conv2d/BiasAdd',
      node('Conv', ['first:0', read('conv2d', 'Conv2D'), read('conv2d', 'BiasAdd')], 'sequential/conv2d/BiasAdd:0', {
        ...{ dilations: ints([1, 1]), strides: ints([2, 2]), kernel_shape: ints([3, 3]), group: int(1) },
        auto_pad: 'SAME_UPPER',
      }),
    ),
    named('sequential/conv2d/Relu', node('Relu', ['sequential/conv2d/BiasAdd:0'], 'sequential/conv2d/Relu:0')),
    named(
      'sequential/batch_normalization/FusedBatchNormV3',
      node(
        'BatchNormalization',
        [
          'sequential/conv2d/Relu:0',
          ...['', '_1'].map((part) => `sequential/batch_normalization/ReadVariableOp${part}:0`),
          ...['', '_1'].map((part) => `sequential/batch_normalization/FusedBatchNormV3/ReadVariableOp${part}:0`),
        ],
        'sequential/batch_normalization/FusedBatchNormV3:0',
        { epsilon: float(0.001) },
      ),
    ),
    named(
      'sequential/max_pooling2d/MaxPool',
      node('MaxPool', ['sequential/batch_normalization/FusedBatchNormV3:0'], 'sequential/max_pooling2d/MaxPool:0', {
        ...{ kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
        auto_pad: 'VALID',
      }),
    ),
    named(
      'sequential/max_pooling2d/MaxPool__12',
      node('Transpose', ['sequential/max_pooling2d/MaxPool:0'], 'last:0', TO_CHANNELS_LAST),
    ),
    named(
      'sequential/flatten/Reshape',
      node('Reshape', ['last:0', 'const_fold_opt__14'], 'sequential/flatten/Reshape:0'),
    ),
    named(
      'sequential/dense/MatMul',
      node('MatMul', ['sequential/flatten/Reshape:0', read('dense', 'MatMul')], 'sequential/dense/MatMul:0'),
    ),
    named(
      'sequential/dense/BiasAdd',
      node('Add', ['sequential/dense/MatMul:0', read('dense', 'BiasAdd')], 'sequential/dense/BiasAdd:0'),
    ),
    named('sequential/dense/Softmax', node('Softmax', ['sequential/dense/BiasAdd:0'], 'dense', { axis: int(-1) })),
  ];
  return model(
    {
      name: 'tf2onnx',
      nodes,
      inputs: [value('conv2d_input', 'float32', ['unk__15', 12, 10, 3])],
      outputs: [value('dense', 'float32', ['unk__16', 4])],
      initializers: [
        random(read('conv2d', 'Conv2D'), [6, 3, 3, 3]),
        random(read('conv2d', 'BiasAdd'), [6]),
        random('sequential/batch_normalization/ReadVariableOp:0', [6], 1),
        random('sequential/batch_normalization/ReadVariableOp_1:0', [6]),
        random('sequential/batch_normalization/FusedBatchNormV3/ReadVariableOp:0', [6]),
        random('sequential/batch_normalization/FusedBatchNormV3/ReadVariableOp_1:0', [6], 1),
        int64Vector('const_fold_opt__14', [-1, 36]),
        random(read('dense', 'MatMul'), [36, 4]),
        random(read('dense', 'BiasAdd'), [4]),
      ],
      values: [],
    },
    { producerName: 'tf2onnx', producerVersion: '1.16.1', opsetImports: [{ domain: '', version: 13 }] },
  );
}

describe('a network as Keras tools export it', () => {
  test('comes back without a Transpose, its input as it was, activations in their layers, names without the model', async () => {
    const { artifacts, summary } = await assertSamePredictions(kerasNetwork());
    const { layers } = (
      artifacts.modelTopology as { config: { layers: { class_name: string; config: Record<string, unknown> }[] } }
    ).config;
    assert.deepEqual(
      layers.map(({ class_name: className, config }) =>
        [className, config['name'], config['activation'], config['padding']].join(' ').trim(),
      ),
      [
        'InputLayer conv2d_input',
        'Conv2D conv2d relu same',
        'BatchNormalization batch_normalization',
        'MaxPooling2D max_pooling2d  valid',
        'Flatten flatten',
        'Dense dense softmax',
      ],
    );
    assert.deepEqual(summary.inputs[0]?.permutation, [0, 1, 2, 3]);
  });
});
