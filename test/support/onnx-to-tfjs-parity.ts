import assert from 'node:assert/strict';
import { decodeModel, encodeModel, type OnnxModel } from '@atelier/onnx';
import { convert } from '@atelier/onnx-to-tfjs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { uniform } from '../../scripts/src/verification/uniform.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

/**
 * In terms of the largest output. Both runtimes compute in float32, whose rounding is 2⁻²⁴ ≈ 6e-8, and add up in their own
 * order; a wrong layout or padding is off by a thousandth and more.
 */
export const TOLERANCE = 1e-6;

const BATCH = 2;

/** The largest difference that was seen, for whoever wants to know how much of the tolerance is used. */
export const seen = { largest: 0 };

interface ParityOptions {
  /** Of the images. */
  seed: number;
  tolerance: number;
  /** The file's own where that is fixed. */
  batch: number;
  /** Of the axes that are open in the file, by their names. */
  sizes: Record<string, number>;
}

/**
 * Converts, loads the result into TensorFlow.js, and runs both on the same random images, laid out as each wants them: shapes
 * and values of every output must agree.
 */
export async function assertSamePredictions(
  source: OnnxModel,
  { seed = 1, tolerance = TOLERANCE, batch = BATCH, sizes = {} }: Partial<ParityOptions> = {},
) {
  await tf.setBackend('cpu');
  const bytes = encodeModel(source);
  const converted = convert(decodeModel(bytes, 'the test'));
  const network = await loaded(converted.artifacts);
  const session = await InferenceSession.create(bytes, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  try {
    const next = uniform(seed);
    const given = converted.summary.inputs.map(({ name, onnxShape, permutation }) => {
      const shape = onnxShape.map((size, axis) =>
        axis === 0 ? batch : typeof size === 'number' ? size : (sizes[String(size)] ?? 9),
      );
      const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => 4 * next() - 2);
      const type = source.graph.inputs.find((input) => input.name === name)?.type;
      if (type !== 'float32') values.forEach((value, index) => (values[index] = Math.abs(Math.round(64 * value))));
      return { name, type, shape, values, tensor: tf.transpose(tf.tensor(values, shape), [...permutation]) };
    });
    const feeds = given.map(({ name, type, shape, values }) => [
      name,
      type === 'uint8' ? new Tensor('uint8', Uint8Array.from(values), shape) : new Tensor('float32', values, shape),
    ]);
    const expected = await session.run(Object.fromEntries(feeds) as Record<string, InstanceType<typeof Tensor>>);
    const predicted = network.predict(given.map(({ tensor }) => tensor));
    const found = Array.isArray(predicted) ? predicted : [predicted];
    converted.summary.outputs.forEach(({ name, permutation }, index) => {
      const wanted = expected[name] ?? assert.fail(`no output ${name}`);
      const back = permutation.map((_, axis) => permutation.indexOf(axis));
      const actual = tf.transpose(found[index] ?? assert.fail(), back);
      assert.deepEqual(actual.shape, [...wanted.dims], `shape of ${name}`);
      assertClose(actual.dataSync(), wanted.data as Float32Array, tolerance);
    });
  } finally {
    await session.release();
    tf.disposeVariables();
  }
  return { ...converted, network };
}

export async function loaded(artifacts: ReturnType<typeof convert>['artifacts']): Promise<LayersModel> {
  const load = async () => ({
    modelTopology: structuredClone(artifacts.modelTopology),
    weightSpecs: structuredClone(artifacts.weightSpecs) as tf.io.WeightsManifestEntry[],
    weightData: new Uint8Array(artifacts.weightData).buffer,
  });
  return loadLayersModel({ load });
}

export function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(largest > 0, 'outputs that are all zero would agree whatever we did');
  Array.from(actual).forEach((value, index) => {
    const difference = Math.abs(value - (expected[index] ?? NaN)) / largest;
    seen.largest = Math.max(seen.largest, difference);
    assert.ok(difference <= tolerance, `element ${index}: ${value}, onnxruntime ${expected[index]}`);
  });
}
