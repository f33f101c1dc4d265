import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { convert, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {
  input,
  layers,
  type LayersModel,
  loadLayersModel,
  model,
  sequential,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { asKeras3 } from '../support/keras-3-files.ts';
import { artifactsOf, compare, randomise, randomTensor } from '../support/layers-parity.ts';

before(async () => {
  await tf.setBackend('cpu');
});

const UNITS = 3;

/** The model in both runtimes, and its file in the form of Keras 3, which gives the same graph. */
async function compareForms(network: LayersModel, seed = 1) {
  randomise(network, seed);
  const artifacts = await artifactsOf(network);
  const given = network.inputs.map(({ shape }, index) =>
    randomTensor([2, ...(shape.slice(1) as number[])], seed + index),
  );
  const converted = await compare(network, artifacts, given);
  assert.deepEqual(convert(asKeras3(artifacts)).model.graph, converted.model.graph);
  return { artifacts, ...converted };
}

const one = (value: unknown) => value as SymbolicTensor;
const dense = () => layers.dense({ units: UNITS, activation: 'tanh' });

/** Two inputs, two outputs, and a layer that is called twice. */
function innerModel(): LayersModel {
  const [a, b] = [input({ shape: [UNITS] }), input({ shape: [UNITS] })];
  const shared = dense();
  const [c, d] = [one(shared.apply(a)), one(shared.apply(b))];
  return model({ inputs: [a, b], outputs: [one(layers.multiply().apply([c, d])), c] });
}

function innerSequential(): LayersModel {
  return sequential({ layers: [layers.dense({ units: UNITS, inputShape: [UNITS], activation: 'elu' }), dense()] });
}

/** A model drawn step by step: each takes some of what there is and adds what it gives. */
function drawnModel(
  inputs: number,
  steps: readonly { kind: number; places: readonly number[] }[],
  outputs: readonly number[],
) {
  const given = Array.from({ length: inputs }, () => input({ shape: [UNITS] }));
  const there: SymbolicTensor[] = [...given];
  const [shared, nested, chain, deep] = [
    dense(),
    innerModel(),
    innerSequential(),
    sequential({ layers: [innerSequential(), dense()] }),
  ];
  for (const { kind, places } of steps) {
    const [a, b, c] = places.map((place) => there[place % there.length]) as [
      SymbolicTensor,
      SymbolicTensor,
      SymbolicTensor,
    ];
    const made: (() => unknown)[] = [
      () => dense().apply(a),
      () => shared.apply(a),
      () => layers.add().apply([a, b, c]),
      () => layers.average().apply([a, b]),
      () => nested.apply([a, b]),
      () => chain.apply(a),
      () => deep.apply(a),
      () => layers.dropout({ rate: 0.5 }).apply(a),
    ];
    const result = made[kind % made.length]?.();
    there.push(...(Array.isArray(result) ? (result as SymbolicTensor[]) : [one(result)]));
  }
  const last = there.at(-1) ?? assert.fail();
  // TensorFlow.js leaves an input out of the file that no output needs.
  if (inputs > 1) there.push(one(layers.average().apply([last, ...given])));
  // An output must not be one twice: TensorFlow.js then gives the second as null.
  const chosen = [...new Set([there.at(-1) ?? last, ...outputs.map((place) => there[place % there.length] ?? last)])];
  return model({ inputs: given, outputs: chosen });
}

test('functional models of shared, nested and merging layers, with several inputs and outputs: ONNX gives what TensorFlow.js gives', async () => {
  const place = fc.nat(100);
  const drawn = fc.record({
    inputs: fc.integer({ min: 1, max: 3 }),
    steps: fc.array(fc.record({ kind: fc.nat(7), places: fc.tuple(place, place, place) }), {
      minLength: 1,
      maxLength: 10,
    }),
    outputs: fc.array(place, { maxLength: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(drawn, async ({ inputs, steps, outputs }) => {
      await compareForms(drawnModel(inputs, steps, outputs));
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('a functional model as the first layer of a Sequential, and one in the middle: ONNX gives what TensorFlow.js gives', async () => {
  const x = input({ shape: [4], name: 'x' });
  const first = model({ inputs: x, outputs: one(dense().apply(x)), name: 'first' });
  const y = input({ shape: [UNITS] });
  const middle = model({ inputs: y, outputs: one(layers.add().apply([one(dense().apply(y)), y])), name: 'middle' });
  const { summary } = await compareForms(
    sequential({ layers: [first, layers.dropout({ rate: 0.5 }), middle, dense()] }),
  );
  assert.deepEqual(
    summary.inputs.map(({ name }) => name),
    ['x'],
  );
});

test('Sequentials within Sequentials: ONNX gives what TensorFlow.js gives', async () => {
  const innermost = innerSequential();
  const inner = sequential({ layers: [innermost, dense()] });
  await compareForms(sequential({ layers: [inner, innerSequential(), layers.dense({ units: 2 })] }));
});

test('a model that is called three times, on its own outputs too: ONNX gives what TensorFlow.js gives, with its weights once', async () => {
  for (const build of [innerSequential, () => sequential({ layers: [innerSequential()] })]) {
    const x = input({ shape: [UNITS] });
    const inner = build();
    const first = one(inner.apply(x));
    const third = one(inner.apply(one(inner.apply(first))));
    const { summary } = await compareForms(model({ inputs: x, outputs: [third, first] }));
    assert.equal(summary.parameters, 2 * (UNITS * UNITS + UNITS));
  }
});

test('a model that is called twice of which one call is needed: the right one', async () => {
  const x = input({ shape: [UNITS] });
  const inner = innerModel();
  const [first] = inner.apply([x, x]) as SymbolicTensor[];
  const [second] = inner.apply([first ?? x, x]) as SymbolicTensor[];
  await compareForms(model({ inputs: x, outputs: one(second) }));
});

test('an input as an output: ONNX gives what TensorFlow.js gives', async () => {
  const [x, y] = [input({ shape: [UNITS], name: 'x' }), input({ shape: [UNITS], name: 'y' })];
  const { summary } = await compareForms(model({ inputs: [x, y], outputs: [one(layers.add().apply([x, y])), x] }));
  assert.deepEqual(summary.outputs.map(({ name }) => name).slice(1), ['x/output']);
});

test('the file that TensorFlow.js writes of a model it has loaded from Keras gives the same graph', async () => {
  const network = drawnModel(
    2,
    [
      { kind: 4, places: [0, 1, 0] },
      { kind: 5, places: [2, 0, 0] },
      { kind: 1, places: [3, 0, 0] },
    ],
    [0],
  );
  randomise(network, 3);
  const artifacts = await artifactsOf(network);
  const again = await artifactsOf(await loadLayersModel({ load: async () => structuredClone(artifacts) }));
  assert.deepEqual(convert(again).model.graph, convert(artifacts).model.graph);
});

test('the topology may be bare, or a model_config beside other things, and its layers in any order', async () => {
  const network = drawnModel(
    2,
    [
      { kind: 4, places: [0, 1, 0] },
      { kind: 2, places: [2, 3, 0] },
    ],
    [],
  );
  const artifacts = await artifactsOf(network);
  const topology = artifacts.modelTopology as { config: { layers: unknown[] } };
  const backwards = { ...topology, config: { ...topology.config, layers: [...topology.config.layers].reverse() } };
  const expected = convert(artifacts).model.graph;
  const forms: LayersModelArtifacts['modelTopology'][] = [
    { keras_version: 'tfjs-layers 4.22.0', model_config: topology, training_config: { loss: 'mse' } },
    { model_config: { ...topology, class_name: 'Functional' } },
    backwards,
  ];
  for (const modelTopology of forms) {
    assert.deepEqual(convert({ ...artifacts, modelTopology }).model.graph, expected);
  }
});
