import {
  boolScalar,
  dataTypeCode,
  DEFAULT_OPSET,
  float32Scalar,
  graphAttribute,
  int,
  int64Scalar,
  model,
  node,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  value,
} from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import { type Hoisted, hoistScalars } from './hoist-scalars.ts';
import { type StateVariable, updatedName } from './training-state.ts';
import type { TrainingStep } from './training-step.ts';
import { freshName, renamedValues, valueNames } from './value-names.ts';

/** The input of learning rates, and the output of losses, one for each step. */
export const LEARNING_RATES = 'learning_rates';
export const LOSSES = 'losses';

/** The dimension that counts the steps of a call. */
const STEPS = 'steps';

/**
 * A model that takes many steps in one call, because a call into a runtime costs more than a step of a small network.
 * Inputs: each batch input with an axis of steps before its own, `learning_rates` float32 [steps], and the state by its
 * names. Outputs: `losses` float32 [steps], and the state as `<name>_new`. The steps are the body of an ONNX Loop, whose
 * carried values are the state. `opset` is the standard operator set that the step's operators need; what we add needs
 * the default one, forward graphs with newer operators say theirs.
 */
export function trainingLoop(step: TrainingStep, opset = DEFAULT_OPSET): OnnxModel {
  const inner = innerStep(step);
  const { graph, batch, carried, learningRate, stepCount } = inner;
  const hoisted = hoistScalars(graph, [learningRate, ...(stepCount === null ? [] : [stepCount.inner])]);
  const result = ({ name, type, shape }: StateVariable) => value(updatedName(name), type, shape);
  const outer: OnnxGraph = {
    name: graph.name,
    nodes: [
      node('Shape', [LEARNING_RATES], `${OWN}shape`),
      node('Gather', [`${OWN}shape`, `${OWN}zero`], `${OWN}count`),
      node('Identity', [LEARNING_RATES], stepsName(learningRate)),
      ...(stepCount === null ? [] : countSteps(stepCount)),
      ...hoisted.before.map((each) => onSteps(each, hoisted.scalars)),
      node(
        'Loop',
        [`${OWN}count`, `${OWN}always`, ...carried.map(({ outer: { name } }) => name)],
        [...carried.map(({ outer: { name } }) => updatedName(name)), LOSSES],
        { body: graphAttribute(loopBody(inner, hoisted)) },
      ),
    ],
    inputs: [
      ...batch.map(({ outer: { name, type, shape } }) => ({ name, type, shape: [STEPS, ...(shape ?? [])] })),
      value(LEARNING_RATES, 'float32', [STEPS]),
      ...step.state.map(({ name, type, shape }) => value(name, type, shape)),
    ],
    outputs: [...step.state.map(result), value(LOSSES, 'float32', [STEPS])],
    initializers: [
      int64Scalar(`${OWN}zero`, 0),
      boolScalar(`${OWN}always`, true),
      ...(stepCount === null ? [] : [float32Scalar(`${OWN}zero_float`, 0), float32Scalar(`${OWN}one_float`, 1)]),
      ...graph.initializers.filter(({ name }) => isTaken(name, hoisted.before)),
    ],
    values: [],
  };
  const names = outer.inputs.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw malformedGraph(`The loop has an input "${twice}" of its own; rename the graph's.`);
  return model(outer, { opsetImports: [{ domain: '', version: opset }], producerName: 'atelier' });
}

/** What the names of the loop's own values begin with. */
const OWN = 'loop/';

/** The step as the loop's body has it: its inputs have other names, because those are the loop's. */
type InnerStep = ReturnType<typeof innerStep>;

function innerStep(step: TrainingStep) {
  const taken = valueNames(step.graph);
  const inputs = new Map(step.graph.inputs.map((input) => [input.name, input]));
  const inner = new Map(
    [...step.batch, ...step.state.map(({ name }) => name)].map((name) => [name, freshName(`${name}/now`, taken)]),
  );
  const innerName = (name: string) => inner.get(name) ?? name;
  return {
    graph: renamedValues(step.graph, innerName),
    batch: step.batch.map((name) => {
      const outer = inputs.get(name);
      if (outer === undefined) throw malformedGraph(`The step has no input "${name}".`);
      return { outer, inner: innerName(name) };
    }),
    /** What a step hands to the next: not the count, which is known beforehand. */
    carried: step.state
      .filter(({ name }) => name !== step.stepCount)
      .map((outer) => ({ outer, inner: innerName(outer.name) })),
    stepCount: step.stepCount === null ? null : { outer: step.stepCount, inner: innerName(step.stepCount) },
    learningRate: step.learningRate,
    loss: step.loss,
  };
}

function loopBody({ graph, batch, carried, loss }: InnerStep, hoisted: Hoisted): OnnxGraph {
  const take = (source: string, name: string) => node('Gather', [source, `${OWN}iteration`], name, { axis: int(0) });
  return {
    name: `${graph.name}_step`,
    nodes: [
      ...batch.map(({ outer, inner }) => take(outer.name, inner)),
      ...hoisted.values.map((name) => take(stepsName(name), name)),
      ...hoisted.nodes,
      node('Identity', [`${OWN}condition`], `${OWN}go_on`),
    ],
    inputs: [
      value(`${OWN}iteration`, 'int64', []),
      value(`${OWN}condition`, 'bool', []),
      ...carried.map(({ outer: { type, shape }, inner }) => value(inner, type, shape)),
    ],
    outputs: [
      value(`${OWN}go_on`, 'bool', []),
      ...carried.map(({ outer: { name, type, shape } }) => value(updatedName(name), type, shape)),
      value(loss, 'float32', []),
    ],
    // What the outer graph has is seen from here, and must not be said twice.
    initializers: graph.initializers.filter(({ name }) => !isTaken(name, hoisted.before)),
    values: [],
  };
}

function isTaken(name: string, nodes: readonly OnnxNode[]): boolean {
  return nodes.some(({ inputs }) => inputs.includes(name));
}

/** The count of steps before each step as a vector, and the count after all of them. */
function countSteps({ outer, inner }: { outer: string; inner: string }): OnnxNode[] {
  return [
    node('Cast', [`${OWN}count`], `${OWN}count_float`, { to: int(dataTypeCode('float32')) }),
    node('Add', [outer, `${OWN}count_float`], updatedName(outer)),
    node('Range', [`${OWN}zero_float`, `${OWN}count_float`, `${OWN}one_float`], `${OWN}earlier`),
    node('Add', [outer, `${OWN}earlier`], stepsName(inner)),
  ];
}

/** A node on scalars as the same node on vectors of them. */
function onSteps(source: OnnxNode, scalars: ReadonlySet<string>): OnnxNode {
  const renamed = (names: readonly string[]) => names.map((name) => (scalars.has(name) ? stepsName(name) : name));
  return { ...source, name: stepsName(source.name), inputs: renamed(source.inputs), outputs: renamed(source.outputs) };
}

/** The values of all steps of a call. */
function stepsName(name: string): string {
  return `${name}/steps`;
}
