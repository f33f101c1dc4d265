import { completeOptimizer, type Optimizer, type OptimizerChoice } from './optimizers/optimizer-settings.ts';
import type { StatePart } from './training-state.ts';

export interface TrainingOptions {
  /** The scalar to make small, float32; a value of the forward graph. */
  loss: string;
  /** Inputs or initializers of the forward graph that the optimiser moves, float32. */
  parameters: readonly string[];
  /** Sizes of the forward graph's symbolic dimensions: `{ batch: 64 }`. */
  sizes?: Readonly<Record<string, number>>;
  /** `{ kind: 'adam' }` is enough; README.md lists the defaults. */
  optimizer: OptimizerChoice;
  /**
   * `l2` adds rate·w to the gradient, `decoupled` multiplies w by 1 − learning rate·rate (arXiv 1711.05101). Only the
   * parameters that are named decay. A rate of 0 or more; none by default.
   */
  weightDecay?: { kind: 'l2' | 'decoupled'; rate: number; parameters: readonly string[] };
  /**
   * Scales all gradients down so that their common Euclidean norm is at most this, above 0 (arXiv 1211.5063). With l2,
   * before the decay is added.
   */
  clipGlobalNorm?: number;
  /**
   * Keeps an exponential moving average of every parameter: average += (1 − d)·(weight − average) after every step, with
   * d = min(averageDecay, (1 + t)/(10 + t)) after t earlier ones. From 0 to below 1.
   */
  averageDecay?: number;
  /** State that the forward graph itself moves on, such as running statistics. */
  updates?: readonly StateUpdate[];
  /**
   * Parameters with at most this many elements are moved as one vector, because a node costs more than their work; 0 keeps
   * every one by itself. 4096 by default.
   */
  packBelow?: number;
}

/** A state of the forward graph's own: an input or initializer, float32, and the value that becomes it in the next step. */
export interface StateUpdate {
  readonly name: string;
  readonly updated: string;
  /** Where it holds several tensors, one after the other. */
  readonly parts?: readonly StatePart[] | undefined;
}

const DEFAULT_PACK_BELOW = 4096;
const DECAYS = ['l2', 'decoupled'];

/** Options with every number. */
export type CompleteOptions = TrainingOptions & { optimizer: Optimizer; packBelow: number };

/** Fills in the defaults. What no graph can make sense of is a `RangeError` that names the option. */
export function completeOptions(options: TrainingOptions): CompleteOptions {
  const { parameters, weightDecay, clipGlobalNorm, averageDecay, packBelow = DEFAULT_PACK_BELOW } = options;
  const state = [...parameters, ...(options.updates ?? []).map(({ name }) => name)];
  if (parameters.length === 0)
    throw new RangeError('parameters is empty; expected the names of what is to be trained.');
  const twice = state.find((name, index) => state.indexOf(name) !== index);
  if (twice !== undefined) throw new RangeError(`"${twice}" is named twice among parameters and updates.`);
  if (weightDecay !== undefined && !DECAYS.includes(weightDecay.kind)) {
    throw new RangeError(`weightDecay.kind is ${weightDecay.kind}; expected ${DECAYS.join(' or ')}.`);
  }
  const stranger = weightDecay?.parameters.find((name) => !parameters.includes(name));
  if (stranger !== undefined) throw new RangeError(`weightDecay names "${stranger}", which is not among parameters.`);
  requireNumber('weightDecay.rate', weightDecay?.rate, 'of 0 or more', (rate) => rate >= 0);
  requireNumber('clipGlobalNorm', clipGlobalNorm, 'above 0', (norm) => norm > 0);
  requireNumber('averageDecay', averageDecay, 'from 0 to below 1', (decay) => decay >= 0 && decay < 1);
  requireNumber('packBelow', packBelow, 'of 0 or more', (size) => size >= 0);
  return { ...options, optimizer: completeOptimizer(options.optimizer), packBelow };
}

function requireNumber(
  option: string,
  number: number | undefined,
  expected: string,
  isSound: (number: number) => boolean,
): void {
  if (number === undefined || (Number.isFinite(number) && isSound(number))) return;
  throw new RangeError(`${option} is ${number}; expected a number ${expected}.`);
}
