import { at } from './plain-arrays.ts';
import type { Numbers } from './run-converted.ts';

type Activation = (x: number) => number;

export const tanh: Activation = Math.tanh;
export const sigmoid: Activation = (x) => 1 / (1 + Math.exp(-x));
/** Keras 3's. */
export const hardSigmoid3: Activation = (x) => Math.min(Math.max(x / 6 + 0.5, 0), 1);

/** Weights of a cell as Keras has them: [features, gates · units], [units, gates · units] and the bias. */
export interface CellWeights {
  kernel: Numbers;
  recurrentKernel: Numbers;
  /** [gates · units], or [2, gates · units] of a GRU that resets after its product. */
  bias?: Numbers;
}

export interface PlainCell {
  className: 'SimpleRNN' | 'GRU' | 'LSTM';
  units: number;
  weights: CellWeights;
  activation?: Activation;
  recurrentActivation?: Activation;
  resetsAfter?: boolean;
}

/** One step of a cell as Keras writes it down, for one example: from its states to the next. */
export function step(cell: PlainCell, x: readonly number[], states: readonly number[][]): number[][] {
  const { className, units, weights, activation = tanh, recurrentActivation = sigmoid, resetsAfter = false } = cell;
  const [h = [], c = []] = states;
  const unitNumbers = Array.from({ length: units }, (_, unit) => unit);
  const product = (values: readonly number[], matrix: Numbers, column: number) =>
    values.reduce((sum, value, row) => sum + value * at(matrix, [row, column]), 0);
  const bias = (column: number, row = 0) => {
    if (!weights.bias) return 0;
    return weights.bias.shape.length === 2
      ? at(weights.bias, [row, column])
      : row === 0
        ? at(weights.bias, [column])
        : 0;
  };
  const input = (gate: number, unit: number) =>
    product(x, weights.kernel, gate * units + unit) + bias(gate * units + unit);
  const recurrent = (gate: number, unit: number, from = h) =>
    product(from, weights.recurrentKernel, gate * units + unit) + bias(gate * units + unit, 1);
  const gates = (gate: number) =>
    unitNumbers.map((unit) => recurrentActivation(input(gate, unit) + recurrent(gate, unit)));
  if (className === 'SimpleRNN') return [unitNumbers.map((unit) => activation(input(0, unit) + recurrent(0, unit)))];
  if (className === 'GRU') {
    const [z, r] = [gates(0), gates(1)];
    const reset = h.map((value, unit) => value * (r[unit] ?? 0));
    const candidate = unitNumbers.map((unit) =>
      activation(input(2, unit) + (resetsAfter ? (r[unit] ?? 0) * recurrent(2, unit) : recurrent(2, unit, reset))),
    );
    return [unitNumbers.map((unit) => (z[unit] ?? 0) * (h[unit] ?? 0) + (1 - (z[unit] ?? 0)) * (candidate[unit] ?? 0))];
  }
  const [i, f, o] = [gates(0), gates(1), gates(3)];
  const candidate = unitNumbers.map((unit) => activation(input(2, unit) + recurrent(2, unit)));
  const next = unitNumbers.map((unit) => (f[unit] ?? 0) * (c[unit] ?? 0) + (i[unit] ?? 0) * (candidate[unit] ?? 0));
  return [next.map((value, unit) => (o[unit] ?? 0) * activation(value)), next];
}

/** What `backend.rnn` of Keras does with one example. */
export interface PlainRun {
  steps: readonly (readonly number[])[];
  /** Whether each step counts. */
  mask?: readonly boolean[];
  initial?: readonly number[][];
  goesBackwards?: boolean;
  zeroOutputForMask?: boolean;
}

/** What each step gave, in the order in which they were taken, and the states after the last. */
export function run(
  cell: PlainCell,
  { steps, mask, initial, goesBackwards = false, zeroOutputForMask = false }: PlainRun,
) {
  const order = goesBackwards ? [...steps.keys()].reverse() : [...steps.keys()];
  const zeros = new Array<number>(cell.units).fill(0);
  let states = initial ?? (cell.className === 'LSTM' ? [zeros, zeros] : [zeros]);
  let output = zeros;
  const outputs = order.map((place) => {
    const next = step(cell, steps[place] ?? [], states);
    if (mask?.[place] ?? true) {
      states = next;
      output = next[0] ?? zeros;
    } else if (zeroOutputForMask) {
      output = zeros;
    }
    return output;
  });
  return { outputs, states };
}
