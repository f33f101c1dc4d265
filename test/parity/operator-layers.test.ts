import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convert } from '@atelier/tfjs-to-onnx';
import { across, at, filled, mean, numbers } from '../support/plain-arrays.ts';
import { type Numbers, runConverted } from '../support/run-converted.ts';

// TensorFlow.js cannot load these files: the expected numbers are plain arithmetic.

const input = (name: string, shape: readonly number[]) => ({
  class_name: 'InputLayer',
  name,
  config: { name, batch_input_shape: [null, ...shape] },
  inbound_nodes: [],
});

/** A function of TensorFlow as Keras 2 writes it into the list of layers. */
const lambda = (name: string, fn: string, ...inbound: unknown[]) => ({
  class_name: 'TFOpLambda',
  name,
  config: { name, trainable: true, dtype: 'float32', function: fn },
  inbound_nodes: inbound,
});

/** An operation as Keras 3 writes it. */
const operation = (class_name: string, name: string, args: unknown[], config = {}, kwargs = {}) => ({
  class_name,
  name,
  config,
  inbound_nodes: [{ args, kwargs }],
});
const tensor = (name: string) => ({ class_name: '__keras_tensor__', config: { keras_history: [name, 0, 0] } });

function model(layers: readonly { name: string; class_name: string }[]) {
  const inputs = layers.filter(({ class_name }) => class_name === 'InputLayer');
  const config = {
    name: 'net',
    layers,
    input_layers: inputs.map(({ name }) => [name, 0, 0]),
    output_layers: [[layers.at(-1)?.name, 0, 0]],
  };
  return { modelTopology: { class_name: 'Functional', config } };
}

async function gives(layers: Parameters<typeof model>[0], inputs: readonly Numbers[], expected: Numbers) {
  const [found] = await runConverted(model(layers), inputs);
  assert.deepEqual(found?.shape, expected.shape);
  const largest = Math.max(...expected.values.map(Math.abs));
  found.values.forEach((value, index) => {
    const difference = Math.abs(value - (expected.values[index] ?? NaN));
    assert.ok(difference <= 1e-5 * largest, `element ${index}: ${value}, by hand ${expected.values[index]}`);
  });
}

const x = numbers([2, 3, 4], 1);
const y = numbers([2, 3, 4], 2);
const each = (compute: (place: readonly number[]) => number) => filled(x.shape, compute);

test('functions with numbers, as image models preprocess: x / 127.5 - 1, and a hard swish', async () => {
  await gives(
    [
      input('x', [3, 4]),
      lambda('tf.math.truediv', 'math.truediv', ['x', 0, 0, { y: 127.5, name: null }]),
      lambda('tf.math.subtract', 'math.subtract', ['tf.math.truediv', 0, 0, { y: 1.0, name: null }]),
      lambda('tf.__operators__.add', '__operators__.add', ['tf.math.subtract', 0, 0, { y: 3.0, name: null }]),
      lambda('tf.nn.relu6', 'nn.relu6', ['tf.__operators__.add', 0, 0, { name: null }]),
      lambda('tf.math.multiply', 'math.multiply', ['tf.nn.relu6', 0, 0, { y: 0.16666666, name: null }]),
    ],
    [x],
    each((place) => Math.min(6, Math.max(0, at(x, place) / 127.5 + 2)) * 0.16666666),
  );
});

test('a number for each channel, and a number as the first operand', async () => {
  const deviations = [0.5, 2, 4, 8];
  await gives(
    [
      input('x', [3, 4]),
      lambda('scaled', 'math.truediv', ['x', 0, 0, { y: deviations, name: null }]),
      lambda('rest', 'math.subtract', ['_CONSTANT_VALUE', -1, 1.5, { y: ['scaled', 0, 0], name: null }]),
    ],
    [x],
    each((place) => 1.5 - at(x, place) / (deviations[place[2] ?? 0] ?? NaN)),
  );
});

test('two tensors of different ranks broadcast from the right', async () => {
  const row = numbers([2, 4], 3); // whose batch goes with the three of the other
  const tall = numbers([3, 2, 4], 4);
  const layers = [input('x', [2, 4]), input('row', [4]), lambda('sum', 'math.add', ['x', 0, 0, { y: ['row', 0, 0] }])];
  await gives(
    layers,
    [tall, row],
    filled(tall.shape, (place) => at(tall, place) + at(row, place.slice(1))),
  );
});

test('reductions, and axes that come and go', async () => {
  await gives(
    [
      input('x', [3, 4]),
      lambda('mean', 'math.reduce_mean', ['x', 0, 0, { axis: [-1], keepdims: true }]),
      lambda('centred', 'math.subtract', ['x', 0, 0, { y: ['mean', 0, 0], name: null }]),
      lambda('square', 'math.square', ['centred', 0, 0, {}]),
      lambda('sum', 'math.reduce_sum', ['square', 0, 0, { axis: 1 }]),
      lambda('deep', 'expand_dims', ['sum', 0, 0, { axis: 1 }]),
      lambda('flat', 'compat.v1.squeeze', ['deep', 0, 0, { axis: [1] }]),
    ],
    [x],
    filled([2, 4], ([batch = 0, column = 0]) =>
      [0, 1, 2].reduce(
        (sum, row) => sum + (at(x, [batch, row, column]) - mean(across(x, [batch, row, column], [2]))) ** 2,
        0,
      ),
    ),
  );
});

test('operations of Keras 3, with numbers among their arguments', async () => {
  await gives(
    [
      input('x', [3, 4]),
      input('y', [3, 4]),
      operation('TrueDivide', 'true_divide', [tensor('x'), 127.5]),
      operation('Subtract', 'subtract', [tensor('true_divide'), 1.0]),
      operation('Add', 'add', [tensor('subtract'), tensor('y')]),
      operation('Multiply', 'multiply', [tensor('add'), { class_name: '__numpy__', config: { value: [1, 2, 3, 4] } }]),
      operation('Mean', 'mean', [tensor('multiply')], { axis: -1, keepdims: false }),
    ],
    [x, y],
    filled([2, 3], ([batch = 0, row = 0]) =>
      mean([0, 1, 2, 3].map((k) => (at(x, [batch, row, k]) / 127.5 - 1 + at(y, [batch, row, k])) * (k + 1))),
    ),
  );
});

test('another function is refused by name, with those that are converted', () => {
  for (const name of ['image.ssim', 'toString', 'compat.v1.constructor']) {
    const layers = [input('x', [4]), lambda('other', name, ['x', 0, 0, { y: 1 }])];
    assert.throws(
      () => convert(model(layers)),
      ({ message }: Error) => message.startsWith(`Layer "other" (TFOpLambda) calls tf.${name}; supported: `),
    );
  }
});
