import { type AttributeSource, floats, float32Tensor, int, strings } from '@atelier/onnx';
import { type ActivationName, hardSigmoidSlope } from '../../activations.ts';
import type { Scope } from '../../graph/scope.ts';
import type { Value } from '../../graph/value.ts';
import type { RecurrentOperator, States } from './cell.ts';

/** An activation of RNN, GRU and LSTM, with its parameters where it takes any. */
interface OperatorActivation {
  name: string;
  alpha?: number;
  beta?: number;
}

/**
 * The activations of these operators (ONNX, "LSTM") that are ours too. Softplus is not among them: within an operator
 * onnxruntime 1.30 computes it as log(1 + exp(x)), which is infinite from x = 89 on.
 */
export const OPERATOR_ACTIVATIONS: Partial<Record<ActivationName, (isKeras3: boolean) => OperatorActivation>> = {
  elu: () => ({ name: 'Elu', alpha: 1 }),
  hard_sigmoid: (isKeras3) => ({ name: 'HardSigmoid', alpha: hardSigmoidSlope(isKeras3), beta: 0.5 }),
  linear: () => ({ name: 'Affine', alpha: 1, beta: 0 }),
  relu: () => ({ name: 'Relu' }),
  sigmoid: () => ({ name: 'Sigmoid' }),
  softsign: () => ({ name: 'Softsign' }),
  tanh: () => ({ name: 'Tanh' }),
};

/** One direction, or two of the same kind, the second of which goes from the last step to the first. */
type Directions = readonly [RecurrentOperator] | readonly [RecurrentOperator, RecurrentOperator];

export interface OperatorRun {
  /** What the names of the weights begin with. */
  path: string;
  /** [batch, time, features]. */
  sequence: Value;
  /** [directions, batch, units]; zeros where there are none. */
  initial: States | undefined;
  isReversed: boolean;
  isSequence: boolean;
  isKeras3: boolean;
}

interface OperatorResult {
  states: States;
  sequence: Value | undefined;
}

/**
 * RNN, GRU or LSTM over the whole sequence: the states [directions, batch, units], and what every step gave,
 * [time, directions, batch, units], where that is asked for.
 */
export function runOperator(scope: Scope, directions: Directions, run: OperatorRun): OperatorResult {
  const [{ opType, isResetAfter, units }] = directions;
  const timeMajor = scope.transpose(run.sequence, [1, 0, 2], 'time_major');
  const inputs = [timeMajor, ...weightsOf(scope, directions, run.path), undefined, ...(run.initial ?? [])];
  const attributes = {
    hidden_size: int(units),
    direction: directions.length === 2 ? 'bidirectional' : run.isReversed ? 'reverse' : 'forward',
    ...activationAttributes(directions, run.isKeras3),
    ...(opType === 'GRU' && { linear_before_reset: int(isResetAfter ? 1 : 0) }),
  };
  const every = run.isSequence ? 'sequence' : '';
  if (opType === 'LSTM') {
    const names = [every, 'h_of_directions', 'c_of_directions'] as const;
    const [sequence, h, c] = scope.addMany(opType, inputs, names, attributes);
    return { states: [h, c], sequence: run.isSequence ? sequence : undefined };
  }
  const [sequence, h] = scope.addMany(opType, inputs, [every, 'h_of_directions'], attributes);
  return { states: [h], sequence: run.isSequence ? sequence : undefined };
}

/** Weights of all directions, behind each other; one that is there from another call is the same. */
function weightsOf(scope: Scope, operators: readonly RecurrentOperator[], path: string): (Value | undefined)[] {
  const weights = operators.map((operator) => operator.weights());
  const constant = (name: string, shape: readonly number[], parts: readonly Float32Array[]) =>
    scope.builder.initializer(float32Tensor(`${path}/${name}`, shape, joined(parts)));
  const units = operators[0]?.units ?? 0;
  const [{ inputs = 0, kernel = new Float32Array(), bias } = {}] = weights;
  const rows = kernel.length / inputs;
  return [
    constant(
      'W',
      [weights.length, rows, inputs],
      weights.map((each) => each.kernel),
    ),
    constant(
      'R',
      [weights.length, rows, units],
      weights.map(({ recurrentKernel }) => recurrentKernel),
    ),
    bias &&
      constant(
        'B',
        [weights.length, 2 * rows],
        weights.map((each) => each.bias ?? new Float32Array(2 * rows)),
      ),
  ];
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const result = new Float32Array(parts.reduce((total, { length }) => total + length, 0));
  parts.reduce((offset, part) => {
    result.set(part, offset);
    return offset + part.length;
  }, 0);
  return result;
}

/** Parameters stand in the order of the functions that take them. */
function activationAttributes(directions: Directions, isKeras3: boolean): Record<string, AttributeSource> {
  const all = directions.flatMap(({ activations }) =>
    activations.flatMap((name) => OPERATOR_ACTIVATIONS[name]?.(isKeras3) ?? []),
  );
  const alphas = all.flatMap(({ alpha }) => alpha ?? []);
  const betas = all.flatMap(({ beta }) => beta ?? []);
  return {
    activations: strings(all.map(({ name }) => name)),
    ...(alphas.length > 0 && { activation_alpha: floats(alphas) }),
    ...(betas.length > 0 && { activation_beta: floats(betas) }),
  };
}
