import { node, type OnnxGraph } from '@atelier/onnx';
import { differentiate } from './differentiate.ts';
import { malformedGraph } from './errors.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { OptimizerKind } from './optimizers/optimizer-settings.ts';
import { UPDATE_RULES, type UpdateRule } from './optimizers/optimizer.ts';
import { packParameters } from './pack-parameters.ts';
import { sameShape, shown } from './shapes.ts';
import { type CompleteOptions, completeOptions, type TrainingOptions } from './training-options.ts';
import { AVERAGE, type StateVariable, updatedName } from './training-state.ts';
import { variablesAsInputs } from './variables.ts';

/** One optimiser step as a graph: batch, state and learning rate in; loss and new state out. */
export interface TrainingStep {
  /** Inputs: `batch`, `learningRate`, and the state. Outputs: the loss, and the state as `<name>_new`. */
  graph: OnnxGraph;
  /** What lives from step to step: see `initialState` and `nextState`. */
  state: readonly StateVariable[];
  /** What a batch consists of: the forward graph's inputs that are no state. */
  batch: readonly string[];
  /** The input that is the learning rate, a float32 scalar. */
  learningRate: string;
  /** The output that is the loss, a float32 scalar: of the batch, before the step. */
  loss: string;
  /** The state variable that counts the steps, a float32 scalar from 0; null where none does. */
  stepCount: string | null;
  /** Values that the forward graph had for its own state, by name. */
  initialValues: Readonly<Record<string, Float32Array>>;
  /** The same step with every parameter by itself. */
  unpacked: () => TrainingStep;
}

export const LEARNING_RATE = 'learning_rate';
export const STEP_COUNT = 'step';

/**
 * A forward graph with its loss, and what to do with the gradients, made into one optimiser step of standard operators.
 * The optimiser's state is `<slot>/<parameter>`, averages are `average/<parameter>`, and `step` counts the steps taken.
 * Parameters that the loss does not depend on have gradients of zeros. `not-differentiable` names the operator without a
 * rule, `malformed-onnx` what in the graph does not fit, a `RangeError` the option.
 */
export function trainingStep(forward: OnnxGraph, options: TrainingOptions): TrainingStep {
  const complete = completeOptions(options);
  const { parameters, updates = [], loss, sizes } = complete;
  const variables = variablesAsInputs(forward, [...parameters, ...updates.map(({ name }) => name)]);
  for (const { name } of updates) {
    if (variables.graph.inputs.some((input) => input.name === name)) continue;
    throw malformedGraph(`There is no input or initializer "${name}" to be a state.`);
  }
  const decayed = new Set(complete.weightDecay?.parameters);
  const packing = packParameters(variables.graph, {
    parameters,
    limit: complete.packBelow,
    groupOf: (name) => (decayed.has(name) ? 'decayed' : 'free'),
  });
  const { builder, gradients } = differentiate(packing.graph, {
    loss,
    withRespectTo: packing.parameters.map(({ name }) => name),
    values: updates.map(({ updated }) => updated),
    ...(sizes === undefined ? {} : { sizes }),
  });
  requireFloat32(builder, loss);
  const learningRate = builder.input(LEARNING_RATE, 'float32', []);
  const stepBefore = builder.input(STEP_COUNT, 'float32', []);
  builder.addNode(node('Add', [stepBefore, builder.scalar(1, stepBefore)], updatedName(STEP_COUNT)));
  const state: StateVariable[] = [{ name: STEP_COUNT, type: 'float32', shape: [], initial: 'zeros' }];

  const scalars = perStepScalars(builder, complete);
  const clipped = clipToGlobalNorm(builder, gradients, complete.clipGlobalNorm);
  for (const { name, parts } of packing.parameters) {
    const isDecayed = decayed.has(parts?.[0]?.name ?? name);
    const shape = builder.shapeOf(name);
    const slots = builder.under(name, () =>
      moveParameter(builder, complete, scalars, name, clipped.get(name) ?? '', isDecayed),
    );
    const stateOf = (prefix: string, initial: StateVariable['initial']): StateVariable => ({
      name: `${prefix}${name}`,
      type: 'float32',
      shape,
      initial,
      parts: parts?.map((part) => ({ ...part, name: `${prefix}${part.name}` })),
    });
    state.push(stateOf('', 'given'), ...slots.map((slot) => stateOf(`${slot}/`, 'zeros')));
    if (complete.averageDecay === undefined) continue;
    moveAverage(builder, scalars, name);
    state.push(stateOf(AVERAGE, 'parameter'));
  }
  for (const { name, updated, parts } of updates) {
    const shape = requireFloat32(builder, name);
    requireShape(builder, updated, { name, shape });
    const isGivenElsewhere =
      [loss, ...state.map((each) => updatedName(each.name))].includes(updated) ||
      updates.filter((each) => each.updated === updated).length > 1;
    if (isGivenElsewhere) builder.addNode(node('Identity', [updated], updatedName(name)));
    else builder.rename(updated, updatedName(name));
    state.push({ name, type: 'float32', shape, initial: 'given', parts });
  }
  const graph = builder.graph(packing.graph.name, [loss, ...state.map(({ name }) => updatedName(name))]);
  const notBatch = new Set([learningRate, ...state.map(({ name }) => name)]);
  const step: TrainingStep = {
    graph,
    state,
    batch: graph.inputs.map(({ name }) => name).filter((name) => !notBatch.has(name)),
    learningRate,
    loss,
    stepCount: STEP_COUNT,
    initialValues: variables.values,
    unpacked: () => (complete.packBelow === 0 ? step : trainingStep(forward, { ...options, packBelow: 0 })),
  };
  return step;
}

/** The optimiser's step for one parameter; the names of the slots that it keeps. */
function moveParameter(
  builder: GraphBuilder,
  options: CompleteOptions,
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
  return [...rule.slots];
}

function moveAverage(builder: GraphBuilder, scalars: Readonly<Record<string, string>>, parameter: string): void {
  const average = builder.input(`${AVERAGE}${parameter}`, 'float32', builder.shapeOf(parameter));
  builder.under(parameter, () => {
    const distance = builder.minus(updatedName(parameter), average);
    const closer = builder.times(distance, scalars['averageShare'] ?? '');
    builder.rename(builder.plus(average, closer), updatedName(average));
  });
}

/** The scalars that all parameters of a step share. */
function perStepScalars(builder: GraphBuilder, options: CompleteOptions): Record<string, string> {
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

/** What becomes a state has its shape. */
function requireShape(
  builder: GraphBuilder,
  updated: string,
  { name, shape }: { name: string; shape: readonly number[] },
): void {
  const given = requireFloat32(builder, updated);
  if (sameShape(given, shape)) return;
  throw malformedGraph(
    `"${updated}" has shape ${shown(given)}; expected ${shown(shape)}, which the state "${name}" has.`,
  );
}

/** The shape of a value that must be of float32. */
function requireFloat32(builder: GraphBuilder, name: string): readonly number[] {
  const { type, shape } = builder.typeOf(name);
  if (type === 'float32') return shape;
  throw malformedGraph(`"${name}" is of ${type}; expected float32.`);
}
