import { float32Tensor } from '@atelier/onnx';
import { type ActivationName, activationOf } from '../../activations.ts';
import { malformed } from '../../errors.ts';
import { lastSize, rankOf, shownShape, type Value } from '../../graph/value.ts';
import { rearranged } from '../../rearrange.ts';
import { type LayerCall, unlessIgnored, type WeightLayout } from '../../rule.ts';

export type DenseCellClass = 'SimpleRNNCell' | 'GRUCell' | 'LSTMCell';

/** Kernels are [inputs, gates · units]: of a GRU update, reset, candidate; of an LSTM input, forget, candidate, output. */
export const GATES: Readonly<Record<DenseCellClass, number>> = { SimpleRNNCell: 1, GRUCell: 3, LSTMCell: 4 };

/** What the settings of a cell say, over a sequence that is known. */
export interface CellParts {
  readonly call: LayerCall;
  readonly className: DenseCellClass;
  readonly gates: number;
  readonly units: number;
  readonly inputs: number;
  readonly activation: ActivationName;
  /** Of the gates; a SimpleRNN has none. */
  readonly recurrentActivation: ActivationName;
  /** Of a GRU: the reset gate comes behind the product with the recurrent kernel, whose bias is its own then. */
  readonly isResetAfter: boolean;
  readonly hasBias: boolean;
}

export function cellParts(className: DenseCellClass, call: LayerCall, sequence: Value): CellParts {
  const { settings, name } = call;
  const inputs = lastSize(sequence);
  if (inputs === undefined || rankOf(sequence) !== 3) {
    throw malformed(
      `Layer "${name}" (${className}) takes ${shownShape(sequence.shape)}; expected [batch, time, features] with a known number of features.`,
    );
  }
  return {
    call,
    className,
    gates: GATES[className],
    units: settings.wholeNumber('units'),
    inputs,
    activation: cellActivation(className, call),
    recurrentActivation: gateActivation(call),
    isResetAfter: className === 'GRUCell' && settings.boolean('reset_after', false),
    hasBias: settings.boolean('use_bias', true),
  };
}

/** Null is linear in Keras, and for all cells of TensorFlow.js but the SimpleRNN's; what is not written at all is tanh. */
function cellActivation(className: DenseCellClass, call: LayerCall): ActivationName {
  if (!call.settings.isNull('activation')) return activationOf(call, 'activation', 'tanh');
  return className === 'SimpleRNNCell' ? unlessIgnored<ActivationName>(call, 'activation', 'linear', 'tanh') : 'linear';
}

/** TensorFlow.js leaves it out of the file where it is the hard sigmoid; Keras always writes it. */
export function gateActivation(call: LayerCall): ActivationName {
  if (call.settings.isNull('recurrent_activation')) return 'linear';
  return activationOf(call, 'recurrent_activation', 'hard_sigmoid');
}

/**
 * A weight as a constant, whatever its form in the file: the body of a Scan may take constants from outside, but not what is
 * computed from a quantised one.
 */
export function heldWeight(call: LayerCall, part: string, shape: readonly number[], layout: WeightLayout = {}): Value {
  const tensor = float32Tensor(`${call.paths[0]}/${part}`, shape, call.weightValues(part, shape));
  return call.scope.builder.constant(tensor.name) ?? call.scope.builder.initializer(rearranged(tensor, layout));
}

/** Consecutive columns of a weight of `shape`, as a constant with a name of its own. */
export function columns(
  { call }: CellParts,
  part: string,
  shape: readonly [rows: number, columns: number],
  [from, to]: readonly [number, number],
  name: string,
): Value {
  const values = call.weightValues(part, shape);
  const [rowCount, columnCount] = shape;
  const width = to - from;
  const kept = new Float32Array(rowCount * width);
  for (let row = 0; row < rowCount; row++) {
    kept.set(values.subarray(row * columnCount + from, row * columnCount + to), row * width);
  }
  return call.scope.builder.initializer(float32Tensor(`${call.paths[0]}/${part}/${name}`, [rowCount, width], kept));
}
