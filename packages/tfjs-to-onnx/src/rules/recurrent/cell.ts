import type { Dimension } from '@atelier/onnx';
import type { ActivationName } from '../../activations.ts';
import type { Scope } from '../../graph/scope.ts';
import type { Value } from '../../graph/value.ts';

/** What a recurrent layer does at each step, and the ONNX operator that does all steps at once. */
export interface Cell {
  /** Of each of its states, the first of which is what the cell gives; as in TensorFlow.js. */
  readonly stateShapes: readonly [Shape, ...Shape[]];
  /** What does not depend on the states, of all steps of a sequence [batch, time, ...features] at once. */
  prepare(sequence: Value): Value;
  /** A state of zeros for a prepared sequence. */
  zeros(prepared: Value): Value;
  /** From a step of the prepared sequence and the states before it to the states after it. */
  step(inside: Scope, slice: Value, states: States): States;
  /** How a state lies in the loop, where that is not as in TensorFlow.js. */
  readonly layout?: {
    readonly stateIn: (state: Value) => Value;
    readonly stateOut: (state: Value) => Value;
    readonly sequenceOut: (sequence: Value) => Value;
  };
  /** Absent where ONNX has none that does the same. */
  readonly operator?: RecurrentOperator;
}

/** One direction of an RNN, a GRU or an LSTM of ONNX. */
export interface RecurrentOperator {
  readonly opType: 'RNN' | 'GRU' | 'LSTM';
  readonly units: number;
  /** As the operator lists them: those of the gates first. */
  readonly activations: readonly ActivationName[];
  /** Of a GRU: the reset gate comes behind the product with the recurrent kernel. */
  readonly isResetAfter: boolean;
  /** What the names of its weights begin with. */
  readonly path: string;
  weights(): OperatorWeights;
}

/** Gates in the order of the operator, row-major. */
export interface OperatorWeights {
  /** Number of features. */
  inputs: number;
  /** [gates · units, inputs]. */
  kernel: Float32Array;
  /** [gates · units, units]. */
  recurrentKernel: Float32Array;
  /** [2 · gates · units]: beside the kernel, then beside the recurrent one. */
  bias: Float32Array | undefined;
}

/** A cell over a sequence. */
export interface Run {
  /** [batch, time, ...features]. */
  sequence: Value;
  /** Bool [batch, time]: a step that does not count leaves the states as they are. */
  mask: Value | undefined;
  /** As TensorFlow.js has them; zeros where there are none. */
  initial: States | undefined;
  /** From the last step to the first. */
  isReversed: boolean;
  /** What a step that does not count gives: the first state, what the step before gave (at first zeros), or zeros. */
  maskedOutput: MaskedOutput;
  /** Whether what every step gives is asked for, and not just what the last one gives. */
  isSequence: boolean;
}

export type MaskedOutput = 'state' | 'previous' | 'zeros';

export interface Ran {
  /** What the last step gave. */
  last: Value;
  /** What each step gave, where its input lies; undefined where it was not asked for. */
  sequence: Value | undefined;
  /** After the last step. */
  states: States;
}

/** One at least. */
export type States = readonly [Value, ...Value[]];

type Shape = readonly Dimension[];

/** `change` of each, one at least. */
export function mapped<From, To>(
  [first, ...others]: readonly [From, ...From[]],
  change: (each: From, index: number) => To,
): [To, ...To[]] {
  return [change(first, 0), ...others.map((other, index) => change(other, index + 1))];
}
