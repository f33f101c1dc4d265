import assert from 'node:assert/strict';
import { before, describe, mock, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { input, layers, type LayersModel, model, sequential, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { artifactsOf, assertClose, compare, randomise } from '../support/layers-parity.ts';
import { agree, holds, type Layer, seed, sequenceWithGaps } from '../support/recurrent-parity.ts';
import { convert } from '@atelier/tfjs-to-onnx';
import { runConverted } from '../support/run-converted.ts';

before(async () => {
  mock.method(console, 'warn', () => undefined);
  await tf.setBackend('cpu');
});

const BATCH = 2;
const TIME = 3;
const UNITS = 2;
/** Every value of these networks is a sequence of this shape: a mask of one fits all others. */
const shape: [number, number, number] = [BATCH, TIME, UNITS];
const cell = { units: UNITS, recurrentInitializer: 'zeros' as const, returnSequences: true };
const gru = (): Layer => layers.gru({ ...cell });
const inside = (...each: Layer[]): Layer =>
  sequential({ layers: [layers.inputLayer({ inputShape: [TIME, UNITS] }), ...each] });
const reshape = (): Layer => layers.reshape({ targetShape: [TIME, UNITS] });

/** The last state as a sequence: TensorFlow.js gives the mask of the sequence to the states too. */
function lastState(x: SymbolicTensor): SymbolicTensor {
  const [, h] = layers.lstm({ ...cell, returnState: true }).apply(x) as SymbolicTensor[];
  return layers.repeatVector({ n: TIME }).apply(h ?? assert.fail()) as SymbolicTensor;
}

/** Layers that make masks, pass them on, take them off, heed them, and models with all of these inside. */
const STEPS: Record<string, (x: SymbolicTensor, y: SymbolicTensor) => SymbolicTensor> = {
  masking: (x) => layers.masking().apply(x) as SymbolicTensor,
  dense: (x) => layers.dense({ units: UNITS }).apply(x) as SymbolicTensor,
  leaky: (x) => layers.leakyReLU().apply(x) as SymbolicTensor,
  reshape: (x) => reshape().apply(x) as SymbolicTensor,
  gru: (x) => gru().apply(x) as SymbolicTensor,
  backwards: (x) => layers.simpleRNN({ ...cell, goBackwards: true }).apply(x) as SymbolicTensor,
  both: (x) => layers.bidirectional({ layer: layers.lstm({ ...cell }), mergeMode: 'sum' }).apply(x) as SymbolicTensor,
  state: lastState,
  add: (x, y) => layers.add().apply([x, y]) as SymbolicTensor,
  stepwise: (x) => layers.timeDistributed({ layer: layers.dense({ units: UNITS }) }).apply(x) as SymbolicTensor,
  nested: (x) => inside(gru(), layers.dense({ units: UNITS })).apply(x) as SymbolicTensor,
  nestedMasking: (x) => inside(layers.masking(), gru()).apply(x) as SymbolicTensor,
};

function needs(output: SymbolicTensor, source: SymbolicTensor): boolean {
  return output === source || output.inputs.some((each) => needs(each, source));
}

/** Whatever TensorFlow.js cannot compute itself is left out: masks of merged layers that do not fit. */
function isComputed(network: LayersModel, inputs: tf.Tensor[]): boolean {
  try {
    network.predict(inputs);
    return true;
  } catch {
    return false;
  }
}

describe('masks', () => {
  test('go through any network as TensorFlow.js hands them on', async () => {
    const step = fc.record({ step: fc.constantFrom(...Object.keys(STEPS)), from: fc.nat(), and: fc.nat() });
    const cases = fc.record({ steps: fc.array(step, { minLength: 3, maxLength: 8 }), seed });
    const counts = { compared: 0, warned: 0 };
    await holds(cases, 150, async ({ steps, seed: drawn }) => {
      const inputs = [input({ shape: [TIME, UNITS] }), input({ shape: [TIME, UNITS] })];
      const made = [...inputs];
      for (const { step: name, from, and } of steps) {
        // The latest twice as likely as the one before, and so on: long chains.
        const recent = (drawnPlace: number) =>
          made[made.length - 1 - (Math.clz32(drawnPlace | 1) % made.length)] ?? assert.fail();
        made.push(STEPS[name]?.(recent(from), recent(and)) ?? assert.fail());
      }
      const outputs = made.slice(-2);
      // The file has only the inputs that an output needs.
      const used = inputs.filter((each) => outputs.some((output) => needs(output, each)));
      const network = model({ inputs: used, outputs });
      const values = used.map((_, index) => sequenceWithGaps(shape, drawn + index));
      if (!isComputed(network, values)) return;
      const warnings = await agree(network, values, drawn);
      if (warnings) counts.compared++;
      if (warnings?.length) counts.warned++;
    });
    assert.ok(counts.compared > 75, `only ${counts.compared} were compared`);
    assert.ok(counts.warned > 10, `in only ${counts.warned} did Keras and TensorFlow.js differ`);
  });

  test('stay for later layers in TensorFlow.js, and the caller is told', async () => {
    const network = sequential({
      layers: [layers.inputLayer({ inputShape: [TIME, UNITS] }), layers.masking(), gru(), reshape(), gru()],
    });
    const second = network.layers.at(-1);
    const warnings = await agree(network, [sequenceWithGaps(shape, 3)], 2);
    assert.deepEqual(warnings, [
      `Layer "${second?.name}": TensorFlow.js hands it the mask that layer "${network.layers[3]?.name}" had before it, ` +
        'and so does the ONNX model; semantics "keras" hands it none.',
    ]);
  });

  test('of a layer with several outputs are handed on once for each, as it is computed for each', async () => {
    const [one, other] = [input({ shape: [TIME, UNITS] }), input({ shape: [TIME, UNITS] })];
    const masked = layers.masking().apply(one);
    const both = layers.lstm({ ...cell, returnSequences: false, returnState: true }).apply(masked) as SymbolicTensor[];
    const [last, state] = both;
    const repeated = (x?: SymbolicTensor) =>
      layers.repeatVector({ n: TIME }).apply(x ?? assert.fail()) as SymbolicTensor;
    const first = repeated(state);
    const second = gru().apply(layers.masking().apply(other)) as SymbolicTensor;
    const third = gru().apply(repeated(last)) as SymbolicTensor;
    const network = model({ inputs: [one, other], outputs: [first, second, third] });
    assert.equal((await agree(network, [sequenceWithGaps(shape, 3), sequenceWithGaps(shape, 4)], 5))?.length, 1);
  });

  test('follow the values by the semantics of Keras', async () => {
    const masked = sequential({ layers: [layers.inputLayer({ inputShape: [TIME, UNITS] }), layers.masking(), gru()] });
    const unmasked = sequential({ layers: [layers.inputLayer({ inputShape: [TIME, UNITS] }), reshape(), gru()] });
    const whole = sequential({
      layers: [layers.inputLayer({ inputShape: [TIME, UNITS] }), layers.masking(), gru(), reshape(), gru()],
    });
    randomise(whole, 4);
    masked.setWeights(whole.getWeights().slice(0, 3));
    unmasked.setWeights(whole.getWeights().slice(3));
    const x = sequenceWithGaps(shape, 5);
    const reference = { predict: () => unmasked.predict(masked.predict(x)) };
    const { summary } = await compare(reference, await artifactsOf(whole), [x], { semantics: 'keras' });
    assert.deepEqual(summary.warnings, []);
  });

  for (const [isOpen, goBackwards] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ]) {
    const title = `${isOpen ? 'open' : 'known'} length ${goBackwards ? 'backwards' : 'forwards'}`;
    test(`that are longer than a later layer needs are cut there, ${title}`, async () => {
      const sequence = input({ batchShape: [null, isOpen ? null : 5, UNITS] });
      const other = input({ batchShape: [null, isOpen ? null : TIME, UNITS] });
      const masked = gru().apply(layers.masking().apply(sequence)) as SymbolicTensor;
      const both = layers.bidirectional({ layer: layers.lstm({ ...cell }) }).apply(other) as SymbolicTensor;
      const back = layers.simpleRNN({ ...cell, goBackwards: goBackwards ?? false }).apply(both) as SymbolicTensor;
      const network = model({ inputs: [sequence, other], outputs: [masked, back] });
      const values = [sequenceWithGaps([BATCH, 5, UNITS], 3), sequenceWithGaps(shape, 4)];
      const warnings = await agree(network, values, 5);
      assert.equal(warnings?.length, 2);
    });
  }

  test('that are shorter do not stay, because TensorFlow.js fails under them; the caller is told', async () => {
    const network = sequential({
      layers: [
        layers.inputLayer({ inputShape: [2, 2 * UNITS] }),
        layers.masking(),
        layers.gru({ ...cell, units: 2 * UNITS }),
        layers.reshape({ targetShape: [4, UNITS] }),
        gru(),
      ],
    });
    const { summary } = convert(await artifactsOf(network));
    assert.equal(summary.operators['Scan'], 1);
    assert.equal(summary.operators['GRU'], 1);
    assert.match(summary.warnings.join(), /which does not fit; the ONNX model hands it none, as Keras does/);
  });

  test('of an Embedding count what is not zero before fractions are cut off', async () => {
    const network = sequential({
      layers: [
        layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true }),
        layers.lstm({ units: 3, recurrentInitializer: 'zeros', goBackwards: true }),
      ],
    });
    randomise(network, 7);
    const x = tf.tensor2d([
      [0, 1, 2.5, 0],
      [0.5, 0, 0, 4],
    ]);
    const { summary } = await compare(network, await artifactsOf(network), [x]);
    assert.deepEqual(summary.warnings, []);
  });

  test('of a Masking layer count steps of which any feature differs from its value', async () => {
    for (const dtype of ['float32', 'int32'] as const) {
      const sequence = input({ shape: [null, 2], dtype });
      const masked = layers.masking({ maskValue: -1 }).apply(sequence) as SymbolicTensor;
      const network = model({ inputs: sequence, outputs: [masked, gru().apply(masked) as SymbolicTensor] });
      randomise(network, 8);
      const values = [-1, -1, -1, 2, -1, -1, 3, 3, 0, 0, -1, -1];
      await compare(network, await artifactsOf(network), [tf.tensor(values, [2, 3, 2], dtype)]);
    }
  });

  test('of all elements are heeded by a Softmax layer', async () => {
    const x = input({ shape: [4] });
    const ones = input({ shape: [4, 1] });
    const state = layers
      .simpleRNN({ units: 4, recurrentInitializer: 'zeros' })
      .apply(layers.masking().apply(ones)) as SymbolicTensor;
    const y = layers.softmax({ axis: -1 }).apply(layers.add().apply([x, state])) as SymbolicTensor;
    const network = model({ inputs: [x, ones], outputs: y });
    randomise(network, 9);
    const steps = tf.tensor([1, 0, 1, 0, 0, 1, 1, 1], [2, 4, 1]);
    const { summary } = await compare(network, await artifactsOf(network), [
      tf.randomUniform([2, 4], -2, 2, 'float32', 3),
      steps,
    ]);
    assert.equal(summary.warnings.length, 1);
  });

  test('of ConvLSTM2D, which TensorFlow.js fails under, leave its states as they are', async () => {
    const images = input({ shape: [TIME, 2, 2, 1] });
    const settings = { filters: 2, kernelSize: 2, padding: 'same' as const, recurrentInitializer: 'zeros' as const };
    const convLstm = layers.convLstm2d({ ...settings, returnSequences: true });
    const network = model({ inputs: images, outputs: convLstm.apply(images) as SymbolicTensor });
    randomise(network, 10);
    const artifacts = await artifactsOf(network);
    const steps = [0.5, 0.25, 1, -1, 2, 1, -0.5, 0.25];
    const expected = network.predict(tf.tensor([...steps, 0, 0, 0, 0], [1, TIME, 2, 2, 1])) as tf.Tensor;
    const found = await runConverted(underMask(artifacts, convLstm.name), [
      { shape: [1, TIME, 2, 2, 1], values: [...steps, 9, 9, 9, 9] },
      { shape: [1, TIME], values: [1, 1, 0] },
    ]);
    const size = 8;
    const given = expected.dataSync();
    const twice = [...given.slice(0, 2 * size), ...given.slice(size, 2 * size)];
    assertClose(Float32Array.from(found[0]?.values ?? []), twice);
  });
});

/** The network with the mask of its layer as a second input: as a call of Keras 3 hands one over. */
function underMask(artifacts: tf.io.ModelArtifacts, layer: string): tf.io.ModelArtifacts {
  const topology = JSON.parse(JSON.stringify(artifacts.modelTopology)) as {
    config: { layers: Record<string, unknown>[]; input_layers: unknown[] };
  };
  const { layers: entries, input_layers: inputs } = topology.config;
  const config = { batch_input_shape: [null, TIME], dtype: 'float32', name: 'counts' };
  entries.push({ class_name: 'InputLayer', name: 'counts', config, inbound_nodes: [] });
  inputs.push(['counts', 0, 0]);
  const called = entries.find(({ name }) => name === layer);
  const [[[from = '']]] = called?.['inbound_nodes'] as [[[string]]];
  if (called) called['inbound_nodes'] = [[[from, 0, 0, { mask: ['counts', 0, 0] }]]];
  return { ...artifacts, modelTopology: topology };
}
