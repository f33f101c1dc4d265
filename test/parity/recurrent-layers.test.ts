import assert from 'node:assert/strict';
import { before, describe, mock, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { input, layers, model, sequential, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { artifactsOf, compare, randomise, randomTensor } from '../support/layers-parity.ts';
import {
  agree,
  CELL_CLASSES,
  cellClass,
  cellSettings,
  holds,
  type Layer,
  layerSettings,
  recurrentCell,
  recurrentLayer,
  seed,
  sequenceNetwork,
  sequenceWithGaps,
  sizes,
  stateCount,
} from '../support/recurrent-parity.ts';
import { agreeOverRuns } from '../support/stateful-parity.ts';

before(async () => {
  // TensorFlow.js warns that initial states are no part of the call's settings; they are among its inputs.
  mock.method(console, 'warn', () => undefined);
  await tf.setBackend('cpu');
});

/** A layer, and the states that it is given. */
interface Stateful {
  apply(x: SymbolicTensor, options: object): SymbolicTensor | SymbolicTensor[];
}

/** The layer behind a mask or not, with initial states or without; TensorFlow.js cannot do both for several outputs. */
function applied(
  layer: Layer,
  sequence: SymbolicTensor,
  states: SymbolicTensor[],
  isMasked: boolean,
): SymbolicTensor | SymbolicTensor[] {
  const taken = isMasked ? (layers.masking().apply(sequence) as SymbolicTensor) : sequence;
  return (layer as unknown as Stateful).apply(taken, states.length > 0 ? { initialState: states } : {});
}

const flags = fc.record({ isMasked: fc.boolean(), isGiven: fc.boolean() });

describe('ONNX gives what TensorFlow.js gives for', () => {
  for (const className of CELL_CLASSES) {
    test(`any ${className}, under masks with gaps and from given states`, async () => {
      const cases = fc.record({ cell: cellSettings, layer: layerSettings, size: sizes, seed, flags });
      await holds(cases, 120, async ({ cell, layer, size: { batch, time, features }, seed: drawn, flags: flag }) => {
        const { isMasked, isGiven } = flag;
        const config = { ...cell, ...layer, returnState: layer.returnState && !(isMasked && isGiven) };
        const given = isGiven ? new Array<number>(stateCount(className)).fill(cell.units) : [];
        const network = sequenceNetwork(features, given, (sequence, states) =>
          applied(recurrentLayer(className, config), sequence, states, isMasked),
        );
        const shape: [number, number, number] = [batch, time, features];
        const sequence = isMasked ? sequenceWithGaps(shape, drawn) : randomTensor(shape, drawn);
        const states = given.map((units, index) => randomTensor([batch, units], drawn + index + 1));
        await agree(network, [sequence, ...states], drawn, [cell]);
      });
    });
  }

  test('any stack of cells, whose states begin with the last cell', async () => {
    const cells = fc.array(fc.record({ className: cellClass, cell: cellSettings }), { minLength: 1, maxLength: 3 });
    const cases = fc.record({ cells, layer: layerSettings, size: sizes, seed, flags });
    await holds(cases, 80, async ({ cells: drawnCells, layer, size, seed: drawn, flags: { isMasked, isGiven } }) => {
      const { batch, time, features } = size;
      const given = isGiven
        ? [...drawnCells]
            .reverse()
            .flatMap(({ className, cell }) => new Array<number>(stateCount(className)).fill(cell.units))
        : [];
      const network = sequenceNetwork(features, given, (sequence, states) => {
        const cell = drawnCells.map((each) => recurrentCell(each.className, each.cell));
        const returnState = layer.returnState && !(isMasked && isGiven);
        const rnn = layers.rnn({ ...layer, returnState, cell });
        return applied(rnn, sequence, states, isMasked);
      });
      const shape: [number, number, number] = [batch, time, features];
      const sequence = isMasked ? sequenceWithGaps(shape, drawn) : randomTensor(shape, drawn);
      const states = given.map((units, index) => randomTensor([batch, units], drawn + index + 1));
      await agree(
        network,
        [sequence, ...states],
        drawn,
        drawnCells.map(({ cell }) => cell),
      );
    });
  });

  test('any Bidirectional', async () => {
    const mergeMode = fc.constantFrom('concat', 'sum', 'mul', 'ave', null);
    const cases = fc.record({
      className: cellClass,
      cell: cellSettings,
      layer: layerSettings,
      mergeMode,
      size: sizes,
      seed,
      flags,
    });
    await holds(cases, 150, async ({ className, cell, layer, mergeMode: mode, size, seed: drawn, flags: flag }) => {
      const { batch, time, features } = size;
      const { isMasked } = flag;
      const isSingle = !layer.returnState && mode !== null;
      const isGiven = flag.isGiven && (!isMasked || isSingle);
      const given = isGiven ? new Array<number>(2 * stateCount(className)).fill(cell.units) : [];
      const network = sequenceNetwork(features, given, (sequence, states) => {
        const inner = recurrentLayer(className, { ...cell, ...layer }) as ReturnType<typeof layers.lstm>;
        const both = layers.bidirectional({ layer: inner, mergeMode: mode as 'concat' });
        return applied(both, sequence, states, isMasked);
      });
      const shape: [number, number, number] = [batch, time, features];
      const sequence = isMasked ? sequenceWithGaps(shape, drawn) : randomTensor(shape, drawn);
      const states = given.map((units, index) => randomTensor([batch, units], drawn + index + 1));
      await agree(network, [sequence, ...states], drawn, [cell]);
    });
  });

  test('any ConvLSTM2D', async () => {
    const pair = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));
    const cases = fc.record({
      cell: cellSettings,
      layer: layerSettings,
      kernelSize: pair,
      strides: pair,
      dilationRate: pair,
      isDilated: fc.boolean(),
      padding: fc.constantFrom('valid' as const, 'same' as const),
      isFirst: fc.boolean(),
      isOpen: fc.boolean(),
      batch: fc.integer({ min: 1, max: 2 }),
      time: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 2 }),
      seed,
    });
    await holds(cases, 60, async (drawn) => {
      const { cell, layer, isDilated, isFirst, isOpen, batch, time, channels } = drawn;
      const { units, ...rest } = cell;
      const config = {
        ...rest,
        ...layer,
        filters: units,
        kernelSize: drawn.kernelSize,
        padding: drawn.padding,
        // One of the two has to be 1.
        strides: isDilated ? 1 : drawn.strides,
        dilationRate: isDilated ? drawn.dilationRate : 1,
        dataFormat: isFirst ? ('channelsFirst' as const) : ('channelsLast' as const),
      };
      const space = [7, 8];
      const written = isOpen ? [null, null] : space;
      const shape = isFirst ? [null, channels, ...written] : [null, ...written, channels];
      const images = input({ batchShape: [null, ...shape] });
      const output = layers.convLstm2d(config).apply(images) as SymbolicTensor;
      const network = model({ inputs: images, outputs: output });
      const sizesOfSteps = isFirst ? [channels, ...space] : [...space, channels];
      await agree(network, [randomTensor([batch, time, ...sizesOfSteps], drawn.seed)], drawn.seed, [cell]);
    });
  });

  const stepwise: Record<string, [shape: number[], build: () => Layer]> = {
    Dense: [[3], () => layers.dense({ units: 2, activation: 'softmax' })],
    'Dense of matrices': [[2, 3], () => layers.dense({ units: 2 })],
    Flatten: [[2, 3], () => layers.flatten()],
    Reshape: [[6], () => layers.reshape({ targetShape: [2, 3] })],
    Permute: [[2, 3], () => layers.permute({ dims: [2, 1] })],
    Conv2D: [
      [4, 5, 2],
      () => layers.conv2d({ filters: 3, kernelSize: 2, strides: 2, padding: 'same', activation: 'relu' }),
    ],
    MaxPooling2D: [[4, 5, 2], () => layers.maxPooling2d({ poolSize: 2 })],
    BatchNormalization: [[4], () => layers.batchNormalization()],
    Softmax: [[4], () => layers.softmax({ axis: -1 })],
    LSTM: [[3, 2], () => layers.lstm({ units: 2, recurrentInitializer: 'zeros' })],
    TimeDistributed: [[2, 4, 5], () => layers.timeDistributed({ layer: layers.flatten() })],
    'a model': [
      [4, 2],
      () =>
        sequential({
          layers: [
            layers.lstm({ units: 3, recurrentInitializer: 'zeros', returnSequences: true, inputShape: [4, 2] }),
            layers.flatten(),
            layers.dense({ units: 2 }),
          ],
        }),
    ],
  };
  for (const [title, [shape, build]] of Object.entries(stepwise)) {
    test(`TimeDistributed of ${title}, with open batch and time and with either known`, async () => {
      for (const [batchSize, time] of [
        [null, null],
        [null, 3],
        [2, null],
        [2, 3],
      ] as const) {
        const sequence = input({ batchShape: [batchSize, time, ...shape] });
        const output = layers.timeDistributed({ layer: build() }).apply(sequence) as SymbolicTensor;
        const network = model({ inputs: sequence, outputs: output });
        const warnings = await agree(network, [randomTensor([2, 3, ...shape], 5)], 4);
        assert.deepEqual(warnings, []);
      }
    });
  }

  for (const opset of [13, 18, 21]) {
    test(`all of them together in operator set ${opset}`, async () => {
      const cell = { recurrentInitializer: 'zeros' as const, returnSequences: true };
      const network = sequential({
        layers: [
          layers.inputLayer({ batchInputShape: [null, null, 2] }),
          layers.masking(),
          layers.bidirectional({ layer: layers.lstm({ ...cell, units: 2 }) }),
          layers.simpleRNN({ ...cell, units: 3, activation: 'swish' }),
          layers.timeDistributed({ layer: layers.dense({ units: 2 }) }),
          layers.gru({ ...cell, units: 2, activation: 'gelu' }),
        ],
      });
      assert.deepEqual(await agree(network, [sequenceWithGaps([3, 4, 2], 6)], 5, [], { opset }), []);
    });
  }

  test('a layer that is called twice, with and without a mask: its weights are there once for each form', async () => {
    const sequence = input({ batchShape: [null, null, 3] });
    const shared = layers.lstm({ units: 3, recurrentInitializer: 'zeros', returnSequences: true });
    const plain = shared.apply(sequence) as SymbolicTensor;
    const twice = shared.apply(plain) as SymbolicTensor;
    const network = model({ inputs: sequence, outputs: [plain, twice] });
    randomise(network, 3);
    const { model: converted } = await compare(network, await artifactsOf(network), [randomTensor([2, 4, 3], 4)]);
    assert.equal(converted.graph.initializers.filter(({ type }) => type === 'float32').length, 3);
  });
});

describe('Embedding', () => {
  const build = (shape: (number | null)[], dtype: 'float32' | 'int32') => {
    const indices = input({ batchShape: shape, dtype });
    const output = layers.embedding({ inputDim: 5, outputDim: 3 }).apply(indices) as SymbolicTensor;
    const network = model({ inputs: indices, outputs: output });
    randomise(network, 1);
    return network;
  };

  test('cuts fractions off', async () => {
    const network = build([null, null], 'float32');
    await compare(network, await artifactsOf(network), [tf.tensor2d([[0, 1.9, 4.99, 0.1, -0.9]])]);
  });

  test('takes integers, of any rank', async () => {
    for (const shape of [
      [6, 1],
      [2, 3],
      [1, 2, 3],
    ]) {
      const network = build([null, ...shape.slice(1)], 'int32');
      await compare(network, await artifactsOf(network), [tf.tensor([0, 1, 2, 3, 4, 2], shape, 'int32')]);
    }
  });
});

describe('a stateful layer', () => {
  for (const isMasked of [false, true]) {
    test(`goes on where it was, ${isMasked ? 'under a mask' : 'without a mask'}`, async () => {
      for (const build of [
        (config: object) => recurrentLayer('LSTM', config as never),
        (config: object) => recurrentLayer('GRU', config as never),
        (config: object) => layers.bidirectional({ layer: recurrentLayer('LSTM', config as never) as never }),
        (config: object) =>
          layers.rnn({
            ...config,
            cell: [
              recurrentCell('LSTM', { units: 3, recurrentInitializer: 'zeros' }),
              recurrentCell('SimpleRNN', { units: 2, recurrentInitializer: 'zeros' }),
            ],
          }),
      ]) {
        const sequence = input({ batchShape: [2, 3, 2] });
        const masked = isMasked ? (layers.masking().apply(sequence) as SymbolicTensor) : sequence;
        const config = { units: 3, recurrentInitializer: 'zeros', stateful: true, returnSequences: true };
        const network = model({ inputs: sequence, outputs: build(config).apply(masked) as SymbolicTensor });
        await agreeOverRuns(network);
      }
    });
  }
});
