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
  const taken = new Set([...valueNames(step.graph), LEARNING_RATES, LOSSES]);
  const inner = innerStep(step, taken);
  const { graph, batch, carried, learningRate, stepCount } = inner;
  const results = new Set([inner.loss, ...carried.map(({ result }) => result)]);
  const hoisted = hoistScalars(graph, [learningRate, ...(stepCount === null ? [] : [stepCount.inner])], results);
  const names: LoopNames = {
    own: (name) => `${inner.prefix}${name}`,
    steps: new Map([...hoisted.scalars].map((name) => [name, freshName(`${name}/steps`, taken)])),
  };
  const { own } = names;
  const result = ({ name, type, shape }: StateVariable) => value(updatedName(name), type, shape);
  const outer: OnnxGraph = {
    name: graph.name,
    nodes: [
      node('Shape', [LEARNING_RATES], own('shape')),
      node('Gather', [own('shape'), own('zero')], own('count')),
      node('Identity', [LEARNING_RATES], ofSteps(learningRate, names)),
      ...(stepCount === null ? [] : countSteps(stepCount, names)),
      ...hoisted.before.map((each) => onSteps(each, names)),
      node(
        'Loop',
        [own('count'), own('always'), ...carried.map(({ outer: { name } }) => name)],
        [...carried.map(({ outer: { name } }) => updatedName(name)), LOSSES],
        { body: graphAttribute(loopBody(inner, hoisted, names)) },
      ),
    ],
    inputs: [
      ...batch.map(({ outer: { name, type, shape } }) => ({ name, type, shape: [STEPS, ...(shape ?? [])] })),
      value(LEARNING_RATES, 'float32', [STEPS]),
      ...step.state.map(({ name, type, shape }) => value(name, type, shape)),
    ],
    outputs: [...step.state.map(result), value(LOSSES, 'float32', [STEPS])],
    initializers: [
      int64Scalar(own('zero'), 0),
      boolScalar(own('always'), true),
      ...(stepCount === null ? [] : [float32Scalar(own('zero_float'), 0), float32Scalar(own('one_float'), 1)]),
      ...graph.initializers.filter(({ name }) => isTaken(name, hoisted.before)),
    ],
    values: [],
  };
  const given = [...outer.inputs, ...outer.outputs].map(({ name }) => name);
  const twice = given.find((name, index) => given.indexOf(name) !== index);
  if (twice !== undefined) throw malformedGraph(`The loop has a value "${twice}" of its own; rename the graph's.`);
  return model(outer, { opsetImports: [{ domain: '', version: opset }], producerName: 'atelier' });
}

/** What the loop calls its values. */
interface LoopNames {
  /** A value that only the loop has. */
  own: (name: string) => string;
  /** By the name of a scalar of a step, the vector of it for all steps. */
  steps: ReadonlyMap<string, string>;
}

/** The step as the loop's body has it: its inputs have other names, because those are the loop's. */
type InnerStep = ReturnType<typeof innerStep>;

function innerStep(step: TrainingStep, taken: Set<string>) {
  const inputs = new Map(step.graph.inputs.map((input) => [input.name, input]));
  const outerNames = [...step.batch, ...step.state.map(({ name }) => name)];
  const inner = new Map(
    [...new Set([...outerNames, LEARNING_RATES, LOSSES])].map((name) => [name, freshName(`${name}/now`, taken)]),
  );
  const innerName = (name: string) => inner.get(name) ?? name;
  let prefix = 'loop/';
  while ([...taken].some((name) => name.startsWith(prefix))) prefix = `own_${prefix}`;
  const renamed = renamedValues(step.graph, innerName);
  /** Nodes that give what is an input or a constant of the step, or is given as something else already, once more. */
  const copies: OnnxNode[] = [];
  const given = new Set(renamed.nodes.flatMap(({ outputs }) => outputs));
  const resultOf = (name: string): string => {
    if (given.delete(name)) return name;
    const copy = freshName(`${name}/copy`, taken);
    copies.push(node('Identity', [name], copy));
    return copy;
  };
  /** What a step hands to the next: not the count, which is known beforehand. */
  const carried = step.state
    .filter(({ name }) => name !== step.stepCount)
    .map((outer) => ({ outer, inner: innerName(outer.name), result: resultOf(innerName(updatedName(outer.name))) }));
  const loss = resultOf(innerName(step.loss));
  return {
    graph: { ...renamed, nodes: [...renamed.nodes, ...copies] },
    /** What the names of the loop's own values begin with. */
    prefix,
    batch: step.batch.map((name) => {
      const outer = inputs.get(name);
      if (outer === undefined) throw malformedGraph(`The step has no input "${name}".`);
      return { outer, inner: innerName(name) };
    }),
    carried,
    stepCount: step.stepCount === null ? null : { outer: step.stepCount, inner: innerName(step.stepCount) },
    learningRate: innerName(step.learningRate),
    loss,
  };
}

function loopBody({ graph, batch, carried, loss }: InnerStep, hoisted: Hoisted, names: LoopNames): OnnxGraph {
  const { own } = names;
  const take = (source: string, name: string) => node('Gather', [source, own('iteration')], name, { axis: int(0) });
  return {
    name: `${graph.name}_step`,
    nodes: [
      ...batch.map(({ outer, inner }) => take(outer.name, inner)),
      ...hoisted.values.map((name) => take(ofSteps(name, names), name)),
      ...hoisted.nodes,
      node('Identity', [own('condition')], own('go_on')),
    ],
    inputs: [
      value(own('iteration'), 'int64', []),
      value(own('condition'), 'bool', []),
      ...carried.map(({ outer: { type, shape }, inner }) => value(inner, type, shape)),
    ],
    outputs: [
      value(own('go_on'), 'bool', []),
      ...carried.map(({ outer: { type, shape }, result }) => value(result, type, shape)),
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
function countSteps({ outer, inner }: { outer: string; inner: string }, names: LoopNames): OnnxNode[] {
  const { own } = names;
  return [
    node('Cast', [own('count')], own('count_float'), { to: int(dataTypeCode('float32')) }),
    node('Add', [outer, own('count_float')], updatedName(outer)),
    node('Range', [own('zero_float'), own('count_float'), own('one_float')], own('earlier')),
    node('Add', [outer, own('earlier')], ofSteps(inner, names)),
  ];
}

/** A node on scalars as the same node on vectors of them. */
function onSteps(source: OnnxNode, names: LoopNames): OnnxNode {
  const renamed = (taken: readonly string[]) => taken.map((name) => ofSteps(name, names));
  return node(source.opType, renamed(source.inputs), renamed(source.outputs), source.attributes);
}

/** The values that a scalar has in all steps of a call; a constant itself. */
function ofSteps(name: string, { steps }: LoopNames): string {
  return steps.get(name) ?? name;
}
