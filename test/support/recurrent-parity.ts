import type { ConvertOptions } from '@atelier/tfjs-to-onnx';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { ACTIVATIONS, artifactsOf, compare, randomise, randomTensor, TOLERANCE } from './layers-parity.ts';
import { uniform } from '../../scripts/src/verification/uniform.ts';

export type Layer = InstanceType<typeof layers.Layer>;
export type RecurrentSettings = Parameters<typeof layers.lstm>[0];

/** The usual ones half of the time. */
const activation = fc.oneof(
  fc.constantFrom('tanh', 'sigmoid', 'hardSigmoid'),
  fc.constantFrom(...ACTIVATIONS),
) as fc.Arbitrary<NonNullable<RecurrentSettings['activation']>>;

/** Settings of a cell; the recurrent initializer is named because the usual one needs a method that is not there. */
export const cellSettings = fc.record({
  units: fc.integer({ min: 1, max: 4 }),
  activation,
  recurrentActivation: activation,
  useBias: fc.boolean(),
  recurrentInitializer: fc.constant('zeros' as const),
});

/** How a layer goes through a sequence, and what it gives. */
export const layerSettings = fc.record({
  returnSequences: fc.boolean(),
  returnState: fc.boolean(),
  goBackwards: fc.boolean(),
});

export const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  time: fc.integer({ min: 1, max: 5 }),
  features: fc.integer({ min: 1, max: 3 }),
});

/** Of weights and inputs. */
export const seed = fc.integer({ min: 1, max: 1000 });

export type CellClass = 'SimpleRNN' | 'GRU' | 'LSTM';
export const CELL_CLASSES: readonly CellClass[] = ['SimpleRNN', 'GRU', 'LSTM'];
export const cellClass = fc.constantFrom(...CELL_CLASSES);

type Cell = ReturnType<typeof layers.simpleRNNCell | typeof layers.gruCell | typeof layers.lstmCell>;

/** A layer of TensorFlow.js. A copy of the settings, because it writes into what it is given. */
export function recurrentLayer(className: CellClass, settings: RecurrentSettings): Layer {
  if (className === 'SimpleRNN') return layers.simpleRNN({ ...settings });
  return className === 'GRU' ? layers.gru({ ...settings }) : layers.lstm({ ...settings });
}

export function recurrentCell(className: CellClass, settings: RecurrentSettings): Cell {
  if (className === 'SimpleRNN') return layers.simpleRNNCell({ ...settings });
  return className === 'GRU' ? layers.gruCell({ ...settings }) : layers.lstmCell({ ...settings });
}

export function stateCount(className: CellClass): number {
  return className === 'LSTM' ? 2 : 1;
}

/** A network of what `build` makes of a sequence and of as many states as it wants, each of so many units. */
export function sequenceNetwork(
  features: number,
  stateUnits: readonly number[],
  build: (sequence: SymbolicTensor, states: SymbolicTensor[]) => SymbolicTensor | SymbolicTensor[],
): LayersModel {
  const sequence = input({ batchShape: [null, null, features] });
  const states = stateUnits.map((units) => input({ shape: [units] }));
  return model({ inputs: [sequence, ...states], outputs: build(sequence, states) });
}

/** A sequence in which a third of the steps is zeros: at the beginning, at the end, or between. */
export function sequenceWithGaps(shape: [batch: number, time: number, features: number], drawn: number): tf.Tensor {
  const next = uniform(drawn);
  const values = randomTensor(shape, drawn).dataSync().slice();
  const [batch, time, features] = shape;
  for (let step = 0; step < batch * time; step++) {
    if (next() < 1 / 3) values.fill(0, step * features, (step + 1) * features);
  }
  return tf.tensor(values, shape);
}

/**
 * For cells with elu or selu: onnxruntime computes exp(x) - 1 in float32, whose rounding is all that is left near 0, and
 * the unbounded activations of the gates multiply it.
 */
const ROUGH_TOLERANCE = 1e-3;

/** Beyond this, products of unbounded gates have multiplied the rounding of each other. */
const LARGEST_TELLING = 1e4;

/** Compares, where there is something to compare: a network of rectifiers may give zeros, an unbounded one infinities. */
export async function agree(
  network: LayersModel,
  inputs: tf.Tensor[],
  drawn: number,
  settings: readonly Partial<RecurrentSettings>[] = [],
  options: ConvertOptions = {},
): Promise<readonly string[] | undefined> {
  randomise(network, drawn);
  try {
    const given = [network.predict(inputs)].flat();
    const isTelling = given.every((tensor) => {
      const values = Array.from(tensor.dataSync());
      return (
        values.every((value) => Math.abs(value) < LARGEST_TELLING) && values.some((value) => Math.abs(value) > 0.05)
      );
    });
    if (!isTelling) return undefined;
    const isRough = settings.some((each) =>
      [each.activation, each.recurrentActivation].some((name) => name === 'elu' || name === 'selu'),
    );
    const tolerance = isRough ? ROUGH_TOLERANCE : TOLERANCE;
    const { summary } = await compare(network, await artifactsOf(network), inputs, { ...options, tolerance });
    return summary.warnings;
  } finally {
    network.dispose();
  }
}

/** A property over drawn cases, the same in every run; what went wrong is the error of the first case that fails. */
export async function holds<Case>(
  cases: fc.Arbitrary<Case>,
  numRuns: number,
  check: (drawn: Case) => Promise<unknown>,
): Promise<void> {
  const property = fc.asyncProperty(cases, async (drawn) => {
    await check(drawn);
  });
  const { failed, counterexample, errorInstance } = await fc.check(property, { seed: 1, numRuns });
  if (!failed) return;
  const reason = errorInstance instanceof Error ? errorInstance.message : '';
  throw new Error(`Does not hold for ${fc.stringify(counterexample?.[0])}: ${reason}`, { cause: errorInstance });
}
