import { type DataType, node, type OnnxGraph } from '@atelier/onnx';
import { differentiate } from './differentiate.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { type Optimizer, type OptimizerKind, UPDATE_RULES, type UpdateRule } from './optimizers/optimizer.ts';
import { packParameters } from './pack-parameters.ts';

export interface TrainingOptions {
  /** The scalar to make small; a value of the forward graph. */
  loss: string;
  /** Inputs or initializers of the forward graph that the optimiser moves. */
  parameters: readonly string[];
  /** Sizes of the forward graph's symbolic dimensions. */
  sizes?: Readonly<Record<string, number>>;
  optimizer: Optimizer;
  /**
   * `l2` adds rate·w to the gradient, `decoupled` multiplies w by 1 − learning rate·rate (arXiv 1711.05101). Only the
   * parameters that are named decay.
   */
  weightDecay?: { kind: 'l2' | 'decoupled'; rate: number; parameters: readonly string[] };
  /** Scales all gradients down so that their common Euclidean norm is at most this (arXiv 1211.5063). */
  clipGlobalNorm?: number;
  /**
   * Keeps an exponential moving average of every parameter: average += (1 − d)·(weight − average) after every step, with
   * d = min(averageDecay, (1 + t)/(10 + t)) after t steps.
   */
  averageDecay?: number;
  /** State that the forward graph itself moves on, such as running statistics. */
  updates?: readonly StateUpdate[];
  /** Parameters with at most this many elements are moved as one vector, because a node costs more than their work. */
  packBelow?: number;
}

/** A state of the forward graph's own: an input, and the value that becomes it in the next step. */
export interface StateUpdate {
  readonly name: string;
  readonly updated: string;
  /** As in `StateVariable`. */
  readonly parts?: StateVariable['parts'];
}

/** A value that lives from step to step. */
export interface StateVariable {
  /** An input of the step; its value after the step is the output `<name>_new`. */
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  /** The value that it begins with where it is no parameter of the caller's. */
  readonly initial: 'zeros' | 'given';
  /** The tensors that are packed into it, one after the other; absent when it is one tensor itself. */
  readonly parts?: readonly { readonly name: string; readonly shape: readonly number[] }[] | undefined;
}

/** One optimiser step as a graph: batch, state and learning rate in; loss and new state out. */
export interface TrainingStep {
  graph: OnnxGraph;
  state: readonly StateVariable[];
  /** What a batch consists of: the forward graph's inputs that are no state. */
  batch: readonly string[];
  /** The names of the step's float32 scalars. */
  learningRate: string;
  loss: string;
}

export const LEARNING_RATE = 'learning_rate';
export const STEP_COUNT = 'step';
const NEW = '_new';
const AVERAGE = 'average';
const DEFAULT_PACK_BELOW = 4096;

/** The name of what a step makes of a state variable. */
export function updatedName(name: string): string {
  return `${name}${NEW}`;
}

/**
 * A forward graph with its loss, and what to do with the gradients, made into one optimiser step of standard operators.
 * The optimiser's state is `<slot>/<parameter>`, averages are `average/<parameter>`, and `step` counts the steps taken.
 */
export function trainingStep(forward: OnnxGraph, options: TrainingOptions): TrainingStep {
  const decayed = new Set(options.weightDecay?.parameters);
  const packing = packParameters(forward, {
    parameters: options.parameters,
    limit: options.packBelow ?? DEFAULT_PACK_BELOW,
    groupOf: (name) => (decayed.has(name) ? 'decayed' : 'free'),
  });
  const { builder, gradients } = differentiate(packing.graph, {
    loss: options.loss,
    withRespectTo: packing.parameters.map(({ name }) => name),
    ...(options.sizes === undefined ? {} : { sizes: options.sizes }),
  });
  const state: StateVariable[] = [];
  builder.input(LEARNING_RATE, 'float32', []);
  const stepBefore = builder.input(STEP_COUNT, 'float32', []);
  builder.addNode(node('Add', [stepBefore, builder.scalar(1, stepBefore)], updatedName(STEP_COUNT)));
  state.push({ name: STEP_COUNT, type: 'float32', shape: [], initial: 'zeros' });

  const scalars = perStepScalars(builder, options);
  const clipped = clipToGlobalNorm(builder, gradients, options.clipGlobalNorm);
  for (const { name, parts } of packing.parameters) {
    const isDecayed = decayed.has(parts?.[0]?.name ?? name);
    const shape = builder.shapeOf(name);
    const slots = builder.under(name, () =>
      moveParameter(builder, options, scalars, name, clipped.get(name) ?? '', isDecayed),
    );
    const stateOf = (prefix: string, initial: StateVariable['initial']): StateVariable => ({
      name: `${prefix}${name}`,
      type: 'float32',
      shape,
      initial,
      parts: parts?.map((part) => ({ ...part, name: `${prefix}${part.name}` })),
    });
    state.push(stateOf('', 'given'), ...slots.map((slot) => stateOf(`${slot}/`, slot === AVERAGE ? 'given' : 'zeros')));
  }
  for (const { name, updated, parts } of options.updates ?? []) {
    const { type, shape } = builder.typeOf(name);
    builder.rename(updated, updatedName(name));
    state.push({ name, type, shape, initial: 'given', parts });
  }
  return finished(builder, packing.graph.name, state, options.loss);
}

/** The optimiser's step for one parameter; the names of the slots that it keeps. */
function moveParameter(
  builder: GraphBuilder,
  options: TrainingOptions,
  scalars: Readonly<Record<string, string>>,
  parameter: string,
  gradient: string,
  isDecayed: boolean,
): string[] {
  const { kind } = options.optimizer;
  const rule = UPDATE_RULES[kind] as UpdateRule<OptimizerKind>; // the settings are of the same kind
  const { shape } = builder.typeOf(parameter);
  const slots = Object.fromEntries(
    rule.slots.map((slot) => [slot, builder.input(`${slot}/${parameter}`, 'float32', shape)]),
  );
  const decay = isDecayed ? options.weightDecay : undefined;
  const moved = rule.update({
    graph: builder,
    settings: options.optimizer,
    parameter: decay?.kind === 'decoupled' ? builder.times(parameter, scalars['shrinkage'] ?? '') : parameter,
    gradient: decay?.kind === 'l2' ? builder.plus(gradient, builder.times(parameter, decay.rate)) : gradient,
    learningRate: LEARNING_RATE,
    slots,
    scalars,
  });
  builder.rename(moved.parameter, updatedName(parameter));
  for (const slot of rule.slots) builder.rename(moved.slots[slot] ?? '', updatedName(`${slot}/${parameter}`));
  if (options.averageDecay === undefined) return [...rule.slots];
  const average = builder.input(`${AVERAGE}/${parameter}`, 'float32', shape);
  const distance = builder.minus(updatedName(parameter), average);
  const closer = builder.times(distance, scalars['averageShare'] ?? '');
  builder.rename(builder.plus(average, closer), updatedName(average));
  return [...rule.slots, AVERAGE];
}

/** The scalars that all parameters of a step share. */
function perStepScalars(builder: GraphBuilder, options: TrainingOptions): Record<string, string> {
  const { optimizer, weightDecay, averageDecay } = options;
  const rule = UPDATE_RULES[optimizer.kind] as UpdateRule<OptimizerKind>;
  const step = updatedName(STEP_COUNT);
  const scalars = { ...rule.perStep?.(builder, optimizer, LEARNING_RATE, step) };
  if (weightDecay?.kind === 'decoupled') {
    scalars['shrinkage'] = builder.minus(1, builder.times(LEARNING_RATE, weightDecay.rate));
  }
  if (averageDecay !== undefined) {
    // 1 − min(decay, (1 + t)/(10 + t)) with t steps before this one, so that the first weights are soon forgotten.
    const growing = builder.over(9, builder.plus(step, 9));
    scalars['averageShare'] = builder.add('Max', [growing, builder.scalar(1 - averageDecay, growing)]);
  }
  return scalars;
}

/** Every gradient times limit/norm where their common Euclidean norm is above the limit (arXiv 1211.5063). */
function clipToGlobalNorm(
  builder: GraphBuilder,
  gradients: ReadonlyMap<string, string>,
  limit: number | undefined,
): ReadonlyMap<string, string> {
  if (limit === undefined) return gradients;
  const squares = [...gradients.values()].map((gradient) => {
    const axes = [...builder.shapeOf(gradient).keys()];
    return builder.sum(builder.times(gradient, gradient), axes, false);
  });
  const norm = builder.add('Sqrt', [squares.reduce((first, second) => builder.plus(first, second))]);
  const factor = builder.over(limit, builder.add('Max', [norm, builder.scalar(limit, norm)]));
  return new Map([...gradients].map(([name, gradient]) => [name, builder.times(gradient, factor)]));
}

function finished(builder: GraphBuilder, name: string, state: readonly StateVariable[], loss: string): TrainingStep {
  const graph = builder.graph(name, [loss, ...state.map((variable) => updatedName(variable.name))]);
  const notBatch = new Set([LEARNING_RATE, ...state.map((variable) => variable.name)]);
  const batch = graph.inputs.map((input) => input.name).filter((input) => !notBatch.has(input));
  return { graph, state, batch, learningRate: LEARNING_RATE, loss };
}
