import {
  type Dimension,
  float32Tensor,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import { descriptionEntry } from './step-description.ts';
import { AVERAGE, initialState, namedState, type StateVariable, updatedName } from './training-state.ts';
import type { TrainingStep } from './training-step.ts';
import { freshName, renamedNode, renamedValues, takenBy, valueNames } from './value-names.ts';

/** The first version of the format that has training information. */
const FIRST_IR_VERSION = 7;

/**
 * A network and its training in one file: `inference` with trained weights, for every tool that runs ONNX models, and
 * beside it, as `TrainingInfoProto`, the algorithm of a step and all state, out of standard operators alone.
 *
 * The specification runs the inference graph and the algorithm as one graph, with one space of names. So the algorithm
 * has what the inference graph lacks: it shares weights, inputs and those nodes that are the same in training; a value
 * that training computes in another way under a name of the inference graph is called `training/<name>`. `update_binding`
 * says for each variable of the state, under the caller's own names, which output becomes it.
 *
 * Where the step keeps averages, the inference graph takes `average/<weight>` in place of each weight.
 *
 * `inference`: weights and running statistics as inputs or initializers by their names in `step`, in an operator set that
 * has the step's operators. `state`: tensors of float32 by the names of the step's variables, as `initialState` and
 * `nextState` give them. `malformed-onnx` or a `RangeError` names what does not fit.
 */
export function trainingModel(
  inference: OnnxModel,
  step: TrainingStep,
  state: Readonly<Record<string, { readonly data: unknown }>>,
): OnnxModel {
  const plain = step.unpacked();
  const values = initialState(plain, (data) => data, namedState(step, state));
  const variables = new Map(
    plain.state.map(({ name, shape }) => [name, float32Tensor(name, shape, values[name] ?? [])] as const),
  );
  const graph = withVariables(takingAverages(inference.graph, plain.state), plain.state, variables);
  const { algorithm, nameOf } = algorithmBeside(graph, plain, variables);
  const batch = plain.graph.inputs
    .filter(({ name }) => plain.batch.includes(name))
    .map(({ name, shape }) => [nameOf(name), (shape ?? []).map(Number)] as const);
  return {
    ...inference,
    irVersion: Math.max(inference.irVersion, FIRST_IR_VERSION),
    metadata: {
      ...inference.metadata,
      ...descriptionEntry({
        learningRate: nameOf(plain.learningRate),
        loss: nameOf(plain.loss),
        batch: Object.fromEntries(batch),
      }),
    },
    graph,
    trainingInfo: [
      {
        algorithm,
        initializationBinding: {},
        updateBinding: Object.fromEntries(plain.state.map(({ name }) => [name, nameOf(updatedName(name))])),
      },
    ],
  };
}

/** The graph with averaged weights in place of those that have averages. */
function takingAverages(graph: OnnxGraph, state: readonly StateVariable[]): OnnxGraph {
  const averages = new Set(state.filter(({ initial }) => initial === 'parameter').map(({ name }) => name));
  if (averages.size === 0) return graph;
  return renamedValues(graph, (name) => (averages.has(`${AVERAGE}${name}`) ? `${AVERAGE}${name}` : name));
}

/** The graph with the variables that it takes as initializers. */
function withVariables(
  graph: OnnxGraph,
  state: readonly StateVariable[],
  variables: ReadonlyMap<string, OnnxTensor>,
): OnnxGraph {
  const declared = [...graph.inputs, ...graph.initializers].filter(({ name }) => variables.has(name));
  for (const { name, shape } of declared) {
    const expected = state.find((variable) => variable.name === name)?.shape ?? [];
    if (fits(shape, expected)) continue;
    throw malformedGraph(
      `"${name}" of the inference graph has shape [${shape?.join()}]; the step moves [${expected.join()}].`,
    );
  }
  const names = new Set(declared.map(({ name }) => name));
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !names.has(name)),
    initializers: [
      ...graph.initializers.filter(({ name }) => !names.has(name)),
      ...[...names].flatMap((name) => variables.get(name) ?? []),
    ],
  };
}

/** What the step has beyond `inference`, and what its values are called there. */
function algorithmBeside(
  inference: OnnxGraph,
  step: TrainingStep,
  variables: ReadonlyMap<string, OnnxTensor>,
): { algorithm: OnnxGraph; nameOf: (name: string) => string } {
  const { graph } = step;
  const initializers = new Map(inference.initializers.map((each) => [each.name, each]));
  const existing = valueNames(inference);
  const clash = [...variables.keys()].find((name) => existing.has(name) && !initializers.has(name));
  if (clash !== undefined) {
    throw malformedGraph(`"${clash}" is a state of the step, and something else in the inference graph; rename one.`);
  }
  const taken = new Set([...existing, ...valueNames(graph)]);
  /** What values of the step are called beside the inference graph. */
  const names = new Map([...variables.keys()].map((name) => [name, name]));
  const nameOf = (name: string): string => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const other = existing.has(name) ? freshName(`training/${name}`, taken) : name;
    names.set(name, other);
    return other;
  };
  /** Whether the inference graph has this value of the step already, as `name`. */
  const share = (value: string, name: string | undefined): boolean => {
    if (name !== undefined) names.set(value, name);
    return name !== undefined;
  };

  const inputs = graph.inputs.filter(({ name, type, shape }) => {
    const same = inference.inputs.find((input) => input.name === name && input.type === type);
    return !variables.has(name) && !share(name, same && fits(same.shape, shape) ? name : undefined);
  });
  const constants = graph.initializers.filter((constant) => {
    const same = initializers.get(constant.name);
    return !share(constant.name, same && isSameTensor(same, constant) ? constant.name : undefined);
  });
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const byWork = new Map(inference.nodes.map((each) => [workOf(each), each]));
  const nodes = graph.nodes.filter((each) => {
    if (each.outputs.some((name) => outputs.has(name))) return true;
    const same = isRandom(each) ? undefined : byWork.get(workOf(renamedNode(each, nameOf)));
    if (same === undefined || each.outputs.some((name, at) => name !== '' && !same.outputs[at])) return true;
    each.outputs.forEach((name, at) => share(name, same.outputs[at]));
    return false;
  });
  const algorithm = renamedValues({ ...graph, nodes, inputs, initializers: constants }, nameOf);
  const nodeNames = new Set(inference.nodes.map(({ name }) => name));
  return {
    nameOf,
    algorithm: {
      ...algorithm,
      name: `${inference.name}_training`,
      nodes: algorithm.nodes.map((each) => ({ ...each, name: freshName(each.name, nodeNames) })),
      initializers: [
        ...algorithm.initializers.filter(({ name }) => algorithm.nodes.some((each) => takenBy(each).includes(name))),
        ...[...variables.values()].filter(({ name }) => !initializers.has(name)),
      ],
    },
  };
}

/** Whether a shape of an inference graph, in which sizes may be open, allows `shape`. */
function fits(declared: OnnxValue['shape'], shape: OnnxValue['shape']): boolean {
  if (declared === null || shape === null) return true;
  const isOpen = (size: Dimension | undefined) => typeof size !== 'number';
  return declared.length === shape.length && declared.every((size, axis) => isOpen(size) || size === shape[axis]);
}

function isSameTensor(first: OnnxTensor, second: OnnxTensor): boolean {
  const { type, shape, data, strings, external } = first;
  if (strings !== undefined || external !== undefined || type !== second.type) return false;
  return shape.join() === second.shape.join() && data.every((byte, index) => byte === second.data[index]);
}

/** Everything of a node but its name and what its outputs are called. */
function workOf({ opType, domain, inputs, attributes }: OnnxNode): string {
  const sorted = Object.entries(attributes).sort(([first], [second]) => (first < second ? -1 : 1));
  return JSON.stringify([domain === 'ai.onnx' ? '' : domain, opType, inputs, sorted], (_, content: unknown) => {
    if (typeof content === 'bigint') return `${content}`;
    return content instanceof Uint8Array ? new TextDecoder('latin1').decode(content) : content; // each byte its own letter
  });
}

/** Whether a node may give something else where it stands twice. */
function isRandom({ opType }: OnnxNode): boolean {
  return /^(Random|Dropout$|Bernoulli$|Multinomial$)/.test(opType);
}
