import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeModel, float32Tensor, model, node, value } from '@atelier/onnx';
import { convert } from '@atelier/tfjs-to-onnx';
import { indexLimits } from '../../../scripts/src/verification/index-limits.ts';
import { largestDifference } from '../../../scripts/src/verification/largest-difference.ts';
import { randomInputs } from '../../../scripts/src/verification/random-inputs.ts';
import { RefusedByTfjs, runLayersModel } from '../../../scripts/src/verification/run-layers-model.ts';
import { runOnnxModel } from '../../../scripts/src/verification/run-onnx-model.ts';
import type { TensorValues } from '../../../scripts/src/verification/tensor-values.ts';
import { verifyConversion } from '../../../scripts/src/verification/verify-conversion.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const values = (shape: number[], ...numbers: number[]): TensorValues => ({
  type: 'float32',
  shape,
  data: Float32Array.from(numbers),
});
const compare = (expected: TensorValues, found?: TensorValues) => largestDifference([{ name: 'y', expected, found }]);

test('the difference is relative to the largest output, and the worst output is named', () => {
  const difference = largestDifference([
    { name: 'a', expected: values([2], 1, -4), found: values([2], 2, -4) },
    { name: 'b', expected: values([1], 100), found: values([1], 110) },
  ]);
  assert.deepEqual(difference, { relative: 0.25, absolute: 1, output: 'a', faults: [] });
});

test('what is equal does not differ: infinities, no numbers, zeros of either sign', () => {
  const odd = values([4], Infinity, -Infinity, NaN, 0);
  assert.equal(compare(odd, values([4], Infinity, -Infinity, NaN, -0)).relative, 0);
});

test('other shapes, missing outputs and numbers where none is expected are faults', () => {
  const faults: [TensorValues | undefined, RegExp][] = [
    [undefined, /"y" is missing/],
    [values([1, 2], 1, 2), /has shape \[1, 2\]; expected \[2\]/],
    [values([2], 1, NaN), /has NaN as element 1; expected 2/],
    [values([2], Infinity, 2), /has Infinity as element 0; expected 1/],
  ];
  for (const [found, reason] of faults) {
    const difference = compare(values([2], 1, 2), found);
    assert.equal(difference.relative, Infinity);
    assert.match(difference.faults.join(), reason);
  }
  assert.equal(compare(values([1], 0), values([1], 1e-30)).relative, Infinity);
});

test('random inputs are the same for a seed, of the type and shape that the model says', () => {
  const inputs = [
    value('image', 'float32', ['batch', 'height', null, 3]),
    value('mask', 'bool', ['batch', 'time']),
    value('tokens', 'float32', ['batch', 'time']),
    value('index', 'int64', [1, 2]),
    value('scalar', 'int32', []),
  ];
  const options = { seed: 3, limits: { tokens: 2, index: 5 } };
  const made = randomInputs(inputs, options);
  assert.deepEqual(made, randomInputs(inputs, options));
  assert.notDeepEqual(made, randomInputs(inputs, { ...options, seed: 4 }));
  assert.deepEqual(
    Object.values(made).map(({ shape, data }) => [shape, data.constructor]),
    [
      [[2, 64, 64, 3], Float32Array],
      [[2, 32], Uint8Array],
      [[2, 32], Float32Array],
      [[1, 2], BigInt64Array],
      [[], Int32Array],
    ],
  );
  assert.deepEqual([...new Set(made['tokens']?.data as Float32Array)].sort(), [0, 1]);
  const image = made['image']?.data as Float32Array;
  assert.ok(image.some((pixel) => pixel < -0.9) && image.every((pixel) => Math.abs(pixel) <= 1));
  assert.throws(() => randomInputs([value('text', 'string', [1])], options), /input "text" of type string/);
});

const embedding = (name: string, rows: number, inbound?: unknown) => ({
  class_name: 'Embedding',
  name,
  config: { name, input_dim: rows },
  ...(inbound !== undefined && { inbound_nodes: inbound }),
});

test('the inputs that reach an Embedding take its indices, in a Sequential with and without an input layer', () => {
  const bare = { class_name: 'Sequential', config: [embedding('e', 7)] };
  assert.deepEqual(indexLimits(bare), { e_input: 7 });
  const input = { class_name: 'InputLayer', config: { name: 'tokens' } };
  const wrapped = { class_name: 'TimeDistributed', config: { name: 't', layer: embedding('e', 9) } };
  const layers = [input, { class_name: 'Masking', config: { name: 'm' } }, wrapped];
  assert.deepEqual(indexLimits({ model_config: { class_name: 'Sequential', config: { layers } } }), { tokens: 9 });
});

test('in a functional model only the inputs behind an Embedding do, the least limit counts, and nested models too', () => {
  const input = (name: string) => ({ class_name: 'InputLayer', name, config: { name }, inbound_nodes: [] });
  const keras3 = { args: [{ class_name: '__keras_tensor__', config: { keras_history: ['words', 0, 0] } }] };
  const layers = [
    input('words'),
    input('image'),
    input('letters'),
    embedding('large', 50, [keras3]),
    embedding('small', 20, [[['words', 0, 0, {}]]]),
    { class_name: 'Dense', name: 'd', config: { name: 'd' }, inbound_nodes: [[['image', 0, 0, {}]]] },
    {
      class_name: 'Functional',
      name: 'nested',
      config: { layers: [input('inner'), embedding('deep', 5, [[['inner', 0, 0, {}]]])] },
      inbound_nodes: [[['letters', 0, 0, {}]]],
    },
  ];
  assert.deepEqual(indexLimits({ class_name: 'Functional', config: { layers } }), { words: 20, letters: 5 });
});

test('a topology of no known form has no limits', () => {
  for (const source of [null, 3, {}, { class_name: 'Model', config: null }, []])
    assert.deepEqual(indexLimits(source), {});
});

const dense = {
  modelTopology: {
    class_name: 'Sequential',
    config: {
      name: 's',
      layers: [{ class_name: 'Dense', config: { name: 'd', units: 1, batch_input_shape: [null, 2] } }],
    },
  },
  weightSpecs: [
    { name: 'd/kernel', shape: [2, 1], dtype: 'float32' },
    { name: 'd/bias', shape: [1], dtype: 'float32' },
  ],
  weightData: [new Uint8Array(Float32Array.of(2, 3).buffer), Float32Array.of(10).buffer],
};

for (const backend of ['cpu', 'wasm'] as const) {
  test(`TensorFlow.js runs artifacts in memory on ${backend}`, async () => {
    const outputs = await runLayersModel(dense, [values([2, 2], 1, 1, 0, 4)], backend);
    assert.deepEqual(outputs, { d: values([2, 1], 15, 22) });
  });
}

test('what TensorFlow.js does not load or run is told apart from every other failure', async () => {
  const unknown = { modelTopology: { class_name: 'Sequential', config: [{ class_name: 'Mystery', config: {} }] } };
  await assert.rejects(runLayersModel(unknown, []), (error: unknown) => {
    assert.ok(error instanceof RefusedByTfjs);
    assert.match(error.message, /^TensorFlow\.js cannot load this model \(Unknown layer: Mystery/);
    return true;
  });
  await assert.rejects(runLayersModel(dense, [values([1, 3], 1, 1, 0)]), /TensorFlow\.js cannot run this model \(/);
});

test('onnxruntime runs a model in memory', async () => {
  const source = model({
    name: 'g',
    nodes: [node('Add', ['x', 'b'], 'y'), node('Neg', ['y'], 'z')],
    inputs: [value('x', 'float32', [2])],
    outputs: [value('z', 'float32', [2]), value('y', 'float32', [2])],
    initializers: [float32Tensor('b', [1], [1])],
    values: [],
  });
  const outputs = await runOnnxModel(encodeModel(source), { x: values([2], 1, 2) });
  assert.deepEqual(Object.entries(outputs), [
    ['z', values([2], -2, -3)],
    ['y', values([2], 2, 3)],
  ]);
  await assert.rejects(runOnnxModel(new Uint8Array(3), {}), Error);
});

test('a conversion with states is verified from where TensorFlow.js begins: at zero', async () => {
  const shapes: [string, number[]][] = [
    ['kernel', [4, 12]],
    ['recurrent_kernel', [3, 12]],
    ['bias', [12]],
  ];
  const config = { name: 'l', units: 3, stateful: true, return_sequences: true, batch_input_shape: [2, 5, 4] };
  const artifacts = {
    modelTopology: { class_name: 'Sequential', config: { name: 's', layers: [{ class_name: 'LSTM', config }] } },
    weightSpecs: shapes.map(([part, shape]) => ({ name: `l/${part}`, shape, dtype: 'float32' })),
    weightData: Float32Array.from({ length: 96 }, (_, index) => Math.sin(index) / 2).buffer,
  };
  const { model: converted, summary } = convert(artifacts);
  assert.ok(summary.inputs.length > 1);
  const folder = await temporaryFolder();
  try {
    const path = join(folder.path, 'l.onnx');
    await writeFile(path, encodeModel(converted));
    const { verified, reason } = await verifyConversion(artifacts, { path, inputs: summary.inputs });
    assert.ok(verified, reason ?? '');
  } finally {
    await folder.remove();
  }
});
