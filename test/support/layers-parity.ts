import assert from 'node:assert/strict';
import { encodeModel } from '@atelier/onnx';
import { convert, type ConvertOptions, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { uniform } from '../../scripts/src/verification/uniform.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

/**
 * In terms of the largest output, for one layer. Both runtimes compute in float32, whose rounding is 2⁻²⁴ ≈ 6e-8, and add up
 * in their own order: sums of a few hundred products differ by some 1e-6.
 */
export const TOLERANCE = 1e-5;

/** Those that TensorFlow.js can load, by the names that it takes. */
export const ACTIVATIONS = [
  'elu',
  'gelu',
  'hardSigmoid',
  'linear',
  'logSoftmax',
  'mish',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'tanh',
] as const;

/** Runs both on the same inputs; type, shape and values of every output must agree. */
export async function compare(
  network: Pick<LayersModel, 'predict'>,
  artifacts: LayersModelArtifacts,
  inputs: tf.Tensor[],
  { tolerance = TOLERANCE, ...options }: ConvertOptions & { tolerance?: number } = {},
) {
  const converted = convert(artifacts, options);
  const { summary } = converted;
  const predicted = network.predict(inputs);
  const expected = Array.isArray(predicted) ? predicted : [predicted];
  const session = await InferenceSession.create(encodeModel(converted.model), { executionProviders: ['cpu'] });
  try {
    const feeds = Object.fromEntries(
      inputs.map((tensor, index) => [summary.inputs[index]?.name ?? '', toOnnx(tensor)]),
    );
    const found = await session.run(feeds);
    assert.equal(expected.length, summary.outputs.length);
    expected.forEach((tensor, index) => {
      const output = summary.outputs[index] ?? assert.fail();
      const actual = found[output.name] ?? assert.fail();
      assert.equal(actual.type, tensor.dtype);
      assert.deepEqual(actual.dims, tensor.shape);
      output.shape?.forEach((size, axis) => {
        if (typeof size === 'number') assert.equal(size, tensor.shape[axis], 'the shape that the file says');
      });
      assertClose(actual.data as Float32Array, tensor.dataSync(), tolerance);
    });
  } finally {
    await session.release();
  }
  return converted;
}

export function assertClose(actual: Float32Array, expected: ArrayLike<number>, tolerance = TOLERANCE) {
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(largest > 0, 'outputs that are all zero would agree whatever we did');
  actual.forEach((value, index) => {
    const difference = Math.abs(value - (expected[index] ?? NaN));
    assert.ok(difference <= tolerance * largest, `element ${index}: ${value}, TensorFlow.js ${expected[index]}`);
  });
}

function toOnnx(tensor: tf.Tensor) {
  return tensor.dtype === 'int32'
    ? new Tensor('int32', tensor.dataSync() as Int32Array, tensor.shape)
    : new Tensor('float32', tensor.dataSync() as Float32Array, tensor.shape);
}

export async function artifactsOf(network: LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  await network.save({
    save: async (artifacts: tf.io.ModelArtifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  return saved ?? assert.fail('nothing was saved');
}

/** Weights between -1 and 1; variances between 0.5 and 1.5. */
export function randomise(network: LayersModel, seed: number) {
  const next = uniform(seed);
  network.setWeights(
    network.weights.map(({ name, shape }) => {
      const centre = name.includes('variance') ? 1 : 0;
      const spread = name.includes('variance') ? 1 : 2;
      const values = Float32Array.from(
        { length: tf.util.sizeFromShape(shape as number[]) },
        () => centre + spread * (next() - 0.5),
      );
      return tf.tensor(values, shape as number[]);
    }),
  );
}

/** Values between -4 and 4: beyond the bends of every activation. */
export function randomTensor(shape: number[], seed: number): tf.Tensor {
  const next = uniform(seed);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => 8 * next() - 4),
    shape,
  );
}

export function randomBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const next = uniform(seed);
  return Uint8Array.from({ length }, () => Math.floor(256 * next()));
}
