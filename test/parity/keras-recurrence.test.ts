import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { assertClose } from '../support/layers-parity.ts';
import { at, filled, numbers } from '../support/plain-arrays.ts';
import {
  type CellWeights,
  hardSigmoid3,
  type PlainCell,
  type PlainRun,
  run,
  sigmoid,
  step,
  tanh,
} from '../support/plain-recurrence.ts';
import { cellClass, holds, stateCount } from '../support/recurrent-parity.ts';
import { type Numbers, runConverted } from '../support/run-converted.ts';
import { functional, type LayerJson, type WeightJson } from '../unit/tfjs-to-onnx/artifacts.ts';

// What TensorFlow.js ignores or fails on is compared with Keras's formulas in plain loops.

const [BATCH, TIME, FEATURES, UNITS] = [2, 4, 3, 2];
const GATES = { SimpleRNN: 1, GRU: 3, LSTM: 4 } as const;

const X = numbers([BATCH, TIME, FEATURES], 1);
/** With a gap, and with a first step that does not count. */
const COUNTS = [
  [false, true, false, true],
  [true, true, false, false],
];
const MASK: Numbers = { shape: [BATCH, TIME], values: COUNTS.flat().map(Number) };

function weightsOf(className: PlainCell['className'], inputs: number, drawn: number, resetsAfter = false): CellWeights {
  const width = GATES[className] * UNITS;
  return {
    kernel: numbers([inputs, width], drawn),
    recurrentKernel: numbers([UNITS, width], drawn + 1),
    bias: numbers(resetsAfter ? [2, width] : [width], drawn + 2),
  };
}

function stored(path: string, { kernel, recurrentKernel, bias }: CellWeights): WeightJson[] {
  const entry = (part: string, { shape, values }: Numbers): WeightJson => [`${path}/${part}`, shape, values];
  return [entry('kernel', kernel), entry('recurrent_kernel', recurrentKernel), ...(bias ? [entry('bias', bias)] : [])];
}

const stepsOf = (example: number, source = X) =>
  Array.from({ length: TIME }, (_, time) =>
    Array.from({ length: source.shape[2] ?? 0 }, (_each, feature) => at(source, [example, time, feature])),
  );

/** A recurrent layer `r` over `x`, with states and a mask that are inputs. */
function model(layer: LayerJson, weights: readonly WeightJson[], states: number, isMasked: boolean, outputs = 1) {
  const inputLayer = (name: string, shape: unknown[]) =>
    ['InputLayer', { name, batch_input_shape: [null, ...shape], dtype: 'float32' }, []] as const;
  const stateNames = Array.from({ length: states }, (_, index) => `s${index}`);
  const keywords = {
    ...(states > 0 && { initial_state: stateNames.map((name) => [name, 0, 0]) }),
    ...(isMasked && { mask: ['mask', 0, 0] }),
  };
  return functional(
    [
      inputLayer('x', [null, FEATURES]),
      ...stateNames.map((name) => inputLayer(name, [UNITS])),
      ...(isMasked ? [inputLayer('mask', [null])] : []),
      [...layer, [[['x', 0, 0, keywords]]]],
    ],
    Array.from({ length: outputs }, (_, index) => ['r', 0, index]),
    weights,
  );
}

const settings = { name: 'r', units: UNITS, activation: 'tanh', recurrent_activation: 'sigmoid', use_bias: true };

/** What a layer of such cells gives for all examples. */
function expectedOf(
  cell: PlainCell,
  options: Omit<PlainRun, 'steps' | 'mask' | 'initial'>,
  states: readonly Numbers[],
  isMasked: boolean,
) {
  return Array.from({ length: BATCH }, (_, example) =>
    run(cell, {
      steps: stepsOf(example),
      ...(isMasked && { mask: COUNTS[example] ?? [] }),
      ...(states.length > 0 && {
        initial: states.map((state) => Array.from({ length: UNITS }, (_each, unit) => at(state, [example, unit]))),
      }),
      ...options,
    }),
  );
}

function close(found: Numbers | undefined, expected: readonly number[]) {
  assertClose(Float32Array.from(found?.values ?? []), expected);
  assert.equal(found?.values.length, expected.length);
}

describe('what only Keras computes', () => {
  test('any layer from any states, under masks, with zeros or the output before them where a step does not count', async () => {
    const cases = fc.record({
      className: cellClass,
      resetsAfter: fc.boolean(),
      goesBackwards: fc.boolean(),
      isSequence: fc.boolean(),
      isZero: fc.boolean(),
      isMasked: fc.boolean(),
      isGiven: fc.boolean(),
    });
    await holds(cases, 60, async (drawn) => {
      const { className, goesBackwards, isSequence, isZero, isMasked, isGiven } = drawn;
      const resetsAfter = drawn.resetsAfter && className === 'GRU';
      const weights = weightsOf(className, FEATURES, 2, resetsAfter);
      const states = Array.from({ length: isGiven ? stateCount(className) : 0 }, (_, index) =>
        numbers([BATCH, UNITS], 7 + index),
      );
      const layer: LayerJson = [
        className,
        {
          ...settings,
          reset_after: resetsAfter,
          go_backwards: goesBackwards,
          return_sequences: isSequence,
          return_state: true,
          zero_output_for_mask: isZero,
        },
      ];
      const artifacts = model(layer, stored('r/cell_5', weights), states.length, isMasked, 1 + stateCount(className));
      const found = await runConverted(artifacts, [X, ...states, ...(isMasked ? [MASK] : [])]);
      const cell: PlainCell = { className, units: UNITS, weights, resetsAfter };
      const expected = expectedOf(cell, { goesBackwards, zeroOutputForMask: isZero }, states, isMasked);
      close(
        found[0],
        expected.flatMap(({ outputs }) => (isSequence ? outputs.flat() : (outputs.at(-1) ?? []))),
      );
      for (let state = 0; state < stateCount(className); state++) {
        close(
          found[1 + state],
          expected.flatMap(({ states: last }) => last[state] ?? []),
        );
      }
    });
  });

  test('the hard sigmoid of Keras 3', async () => {
    const weights = weightsOf('LSTM', FEATURES, 2);
    for (const isMasked of [false, true]) {
      const artifacts = model(
        ['LSTM', { ...settings, recurrent_activation: 'hard_sigmoid' }],
        stored('r', weights),
        0,
        isMasked,
      );
      const topology = { ...(artifacts.modelTopology as object), keras_version: '3.3.0' };
      const [found] = await runConverted({ ...artifacts, modelTopology: topology }, [X, ...(isMasked ? [MASK] : [])]);
      const cell: PlainCell = { className: 'LSTM', units: UNITS, weights, recurrentActivation: hardSigmoid3 };
      close(
        found,
        expectedOf(cell, {}, [], isMasked).flatMap(({ outputs }) => outputs.at(-1) ?? []),
      );
    }
  });

  test('a Bidirectional with a second layer of its own, in the names of Keras 3', async () => {
    const there = weightsOf('SimpleRNN', FEATURES, 2);
    const back = weightsOf('SimpleRNN', FEATURES, 12);
    const inner = { ...settings, return_sequences: true, dropout: 0, seed: null };
    const layer: LayerJson = [
      'Bidirectional',
      {
        name: 'r',
        merge_mode: 'concat',
        layer: { class_name: 'SimpleRNN', config: { ...inner, name: 'forward_simple_rnn' } },
        backward_layer: {
          class_name: 'SimpleRNN',
          config: { ...inner, name: 'backward_simple_rnn', activation: 'sigmoid', go_backwards: true },
        },
      },
    ];
    const weights = [
      ...stored('net/r/forward_simple_rnn/simple_rnn_cell', there),
      ...stored('net/r/backward_simple_rnn/simple_rnn_cell', back),
    ];
    const artifacts = model(layer, weights, 0, false);
    const [found] = await runConverted(artifacts, [X]);
    const forward = expectedOf({ className: 'SimpleRNN', units: UNITS, weights: there }, {}, [], false);
    const cell: PlainCell = { className: 'SimpleRNN', units: UNITS, weights: back, activation: sigmoid };
    const backward = expectedOf(cell, { goesBackwards: true }, [], false);
    const expected = filled([BATCH, TIME, 2 * UNITS], ([example = 0, time = 0, unit = 0]) =>
      unit < UNITS
        ? (forward[example]?.outputs[time]?.[unit] ?? NaN)
        : (backward[example]?.outputs[TIME - 1 - time]?.[unit - UNITS] ?? NaN),
    );
    close(found, expected.values);
  });

  test('a stack of cells in a Bidirectional, whose states begin with the first cell', async () => {
    const lstm = weightsOf('LSTM', FEATURES, 2);
    const gru = weightsOf('GRU', UNITS, 12);
    const stack = {
      class_name: 'StackedRNNCells',
      config: {
        name: 'stacked_rnn_cells',
        cells: [
          { class_name: 'LSTMCell', config: { ...settings, name: 'lstm_cell' } },
          { class_name: 'GRUCell', config: { ...settings, name: 'gru_cell' } },
        ],
      },
    };
    const config = { name: 'rnn', cell: stack, return_state: true };
    const layer: LayerJson = ['Bidirectional', { name: 'r', merge_mode: null, layer: { class_name: 'RNN', config } }];
    const weights = ['forward_rnn', 'backward_rnn'].flatMap((path) => [
      ...stored(`r/${path}/stacked_rnn_cells/lstm_cell`, lstm),
      ...stored(`r/${path}/stacked_rnn_cells/gru_cell`, gru),
    ]);
    const found = await runConverted(model(layer, weights, 0, false, 8), [X], { semantics: 'keras' });
    const expected = [false, true].map((isBack) =>
      Array.from({ length: BATCH }, (_, example) => {
        const steps = isBack ? stepsOf(example).reverse() : stepsOf(example);
        const first = run({ className: 'LSTM', units: UNITS, weights: lstm }, { steps });
        const second = run({ className: 'GRU', units: UNITS, weights: gru }, { steps: first.outputs });
        return { output: second.outputs.at(-1) ?? [], states: [...first.states, ...second.states] };
      }),
    );
    const [forward = [], backward = []] = expected;
    close(
      found[0],
      forward.flatMap(({ output }) => output),
    );
    close(
      found[1],
      backward.flatMap(({ output }) => output),
    );
    [forward, backward].forEach((each, direction) => {
      for (let state = 0; state < 3; state++) {
        close(
          found[2 + 3 * direction + state],
          each.flatMap(({ states }) => states[state] ?? []),
        );
      }
    });
  });

  test('a cell as a layer, whose states are arguments of its call', async () => {
    const weights = weightsOf('LSTM', FEATURES, 2);
    const [h, c] = [numbers([BATCH, UNITS], 3), numbers([BATCH, UNITS], 4)];
    const x = numbers([BATCH, FEATURES], 5);
    const inputLayer = (name: string, size: number) =>
      ['InputLayer', { name, batch_input_shape: [null, size], dtype: 'float32' }, []] as const;
    const states = {
      states: [
        ['h', 0, 0],
        ['c', 0, 0],
      ],
    };
    const artifacts = functional(
      [
        inputLayer('x', FEATURES),
        inputLayer('h', UNITS),
        inputLayer('c', UNITS),
        ['LSTMCell', settings, [[['x', 0, 0, states]]]],
      ],
      [0, 1, 2].map((index) => ['r', 0, index]),
      stored('r', weights),
    );
    const found = await runConverted(artifacts, [x, h, c]);
    const row = (source: Numbers, example: number) =>
      Array.from({ length: source.shape[1] ?? 0 }, (_, column) => at(source, [example, column]));
    const expected = Array.from({ length: BATCH }, (_, example) =>
      step({ className: 'LSTM', units: UNITS, weights, activation: tanh }, row(x, example), [
        row(h, example),
        row(c, example),
      ]),
    );
    const given = (state: number) => expected.flatMap((each) => each[state] ?? []);
    close(found[0], given(0));
    close(found[1], given(0));
    close(found[2], given(1));
  });
});
