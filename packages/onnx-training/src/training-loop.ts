import {
  boolScalar,
  dataTypeCode,
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
import { type Hoisted, hoistScalars } from './hoist-scalars.ts';
import { LEARNING_RATE, type StateVariable, STEP_COUNT, type TrainingStep, updatedName } from './training-step.ts';

/** The input of learning rates, and the output of losses, one for each step. */
export const LEARNING_RATES = 'learning_rates';
export const LOSSES = 'losses';

/** The dimension that counts the steps of a call. */
const STEPS = 'steps';

/** 17 has every operator that we write; forward graphs with newer ones say theirs. */
const LOOP_OPSET = 17;

/**
 * A model that takes many steps in one call, because a call into a runtime costs more than a step of a small network.
 * Inputs: each batch input as `<name>/steps` with an axis of steps before its own, `learning_rates` float32 [steps], and
 * the state as `<name>/begin`. Outputs: `losses` float32 [steps], and the state as `<name>_new`. The steps are the body of
 * an ONNX Loop, whose carried values are the state.
 */
export function trainingLoop(step: TrainingStep, opset = LOOP_OPSET): OnnxModel {
  const { graph, batch } = step;
  const hoisted = hoistScalars(graph, [LEARNING_RATE, STEP_COUNT]);
  const carried = step.state.filter(({ name }) => name !== STEP_COUNT);
  const begin = ({ name, type, shape }: StateVariable) => value(beginName(name), type, shape);
  const result = ({ name, type, shape }: StateVariable) => value(updatedName(name), type, shape);
  const outer: OnnxGraph = {
    name: graph.name,
    nodes: [
      ...countSteps(),
      ...hoisted.before.map((each) => onSteps(each, hoisted.scalars)),
      node(
        'Loop',
        ['step_count', 'always', ...carried.map(({ name }) => beginName(name))],
        [...carried.map(({ name }) => updatedName(name)), LOSSES],
        { body: graphAttribute(loopBody(step, carried, hoisted)) },
      ),
    ],
    inputs: [
      ...graph.inputs
        .filter(({ name }) => batch.includes(name))
        .map((input) => ({ ...input, name: stepsName(input.name), shape: [STEPS, ...(input.shape ?? [])] })),
      value(LEARNING_RATES, 'float32', [STEPS]),
      ...step.state.map(begin),
    ],
    outputs: [...step.state.map(result), value(LOSSES, 'float32', [STEPS])],
    initializers: [
      int64Scalar('zero', 0),
      boolScalar('always', true),
      float32Scalar('zero_float', 0),
      float32Scalar('one_float', 1),
      ...graph.initializers.filter(({ name }) => isTaken(name, hoisted.before)),
    ],
    values: [],
  };
  return model(outer, { opsetImports: [{ domain: '', version: opset }], producerName: 'atelier' });
}

function loopBody(
  { graph, batch, loss }: TrainingStep,
  carried: readonly StateVariable[],
  hoisted: Hoisted,
): OnnxGraph {
  const take = (name: string) => node('Gather', [stepsName(name), 'iteration'], name, { axis: int(0) });
  return {
    name: `${graph.name}_step`,
    nodes: [...[...batch, ...hoisted.values].map(take), ...hoisted.nodes, node('Identity', ['condition'], 'go_on')],
    inputs: [
      value('iteration', 'int64', []),
      value('condition', 'bool', []),
      ...carried.map(({ name, type, shape }) => value(name, type, shape)),
    ],
    outputs: [
      value('go_on', 'bool', []),
      ...carried.map(({ name, type, shape }) => value(updatedName(name), type, shape)),
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

/** The number of steps, and the learning rate and the count of steps before each of them as vectors. */
function countSteps(): OnnxNode[] {
  return [
    node('Shape', [LEARNING_RATES], 'shape'),
    node('Gather', ['shape', 'zero'], 'step_count'),
    node('Cast', ['step_count'], 'step_count_float', { to: int(dataTypeCode('float32')) }),
    node('Add', [beginName(STEP_COUNT), 'step_count_float'], updatedName(STEP_COUNT)),
    node('Range', ['zero_float', 'step_count_float', 'one_float'], 'earlier_steps'),
    node('Add', [beginName(STEP_COUNT), 'earlier_steps'], stepsName(STEP_COUNT)),
    node('Identity', [LEARNING_RATES], stepsName(LEARNING_RATE)),
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

/** The value of a state before the first step of a call. */
function beginName(name: string): string {
  return `${name}/begin`;
}
