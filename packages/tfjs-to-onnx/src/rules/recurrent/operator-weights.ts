import type { ActivationName } from '../../activations.ts';
import type { OperatorWeights, RecurrentOperator } from './cell.ts';
import type { CellParts, DenseCellClass } from './cell-parts.ts';
import { OPERATOR_ACTIVATIONS } from './operator.ts';

const OPERATORS: Readonly<
  Record<
    DenseCellClass,
    {
      opType: RecurrentOperator['opType'];
      /** Where each gate of the operator stands among those of TensorFlow.js. */
      gates: readonly number[];
      activations: (parts: CellParts) => ActivationName[];
    }
  >
> = {
  SimpleRNNCell: { opType: 'RNN', gates: [0], activations: ({ activation }) => [activation] },
  GRUCell: {
    opType: 'GRU',
    gates: [0, 1, 2],
    activations: ({ activation, recurrentActivation }) => [recurrentActivation, activation],
  },
  // ONNX has them in the order input, output, forget, candidate.
  LSTMCell: {
    opType: 'LSTM',
    gates: [0, 3, 1, 2],
    activations: ({ activation, recurrentActivation }) => [recurrentActivation, activation, activation],
  },
};

/** The operator that does what the cell does, where there is one with its activations. */
export function operatorOf(parts: CellParts): RecurrentOperator | undefined {
  const { opType, activations } = OPERATORS[parts.className];
  const names = activations(parts);
  if (!names.every((name) => Object.hasOwn(OPERATOR_ACTIVATIONS, name))) return undefined;
  return {
    opType,
    units: parts.units,
    activations: names,
    isResetAfter: parts.isResetAfter,
    path: parts.call.paths[0] ?? parts.call.name,
    weights: () => weights(parts),
  };
}

function weights(parts: CellParts): OperatorWeights {
  const { call, className, inputs, units, gates, isResetAfter, hasBias } = parts;
  const order = OPERATORS[className].gates;
  const width = gates * units;
  const biases = hasBias ? call.weightValues('bias', isResetAfter ? [2, width] : [width]) : undefined;
  const bias = biases && new Float32Array(2 * width);
  order.forEach((from, to) => {
    const place = to * units;
    bias?.set(biases?.subarray(from * units, (from + 1) * units) ?? [], place);
    if (isResetAfter)
      bias?.set(biases?.subarray(width + from * units, width + (from + 1) * units) ?? [], width + place);
  });
  return {
    inputs,
    kernel: transposed(call.weightValues('kernel', [inputs, width]), inputs, units, order),
    recurrentKernel: transposed(call.weightValues('recurrent_kernel', [units, width]), units, units, order),
    bias,
  };
}

/** From [rows, gates · units] to [gates · units, rows], with the gates in another order. */
function transposed(source: Float32Array, rows: number, units: number, order: readonly number[]): Float32Array {
  const width = order.length * units;
  const result = new Float32Array(source.length);
  order.forEach((from, to) => {
    for (let unit = 0; unit < units; unit++) {
      for (let row = 0; row < rows; row++) {
        result[(to * units + unit) * rows + row] = source[row * width + from * units + unit] ?? 0;
      }
    }
  });
  return result;
}
