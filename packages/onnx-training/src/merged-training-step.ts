import {
  node,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  valuesOf,
  type TrainingInfo,
} from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import { needed } from './subgraph.ts';
import { descriptionIn } from './step-description.ts';
import { type StateVariable, updatedName } from './training-state.ts';
import { LEARNING_RATE, STEP_COUNT, type TrainingStep } from './training-step.ts';
import { takenBy } from './value-names.ts';
import { variablesAsInputs } from './variables.ts';

/** What the values of an algorithm are; needed where no `trainingModel` wrote it into the file. */
export interface MergeOptions {
  /** The input that is the learning rate; `learning_rate` by default. */
  learningRate?: string;
  /** The output of the algorithm that is the loss, a float32 scalar; by default the one that no variable is bound to. */
  loss?: string;
}

/**
 * The step in a model with training information, as a graph that runs: the inference graph and the algorithm as one, as
 * far as the outputs depend on it; variables are inputs, and what becomes of them is `<name>_new`. `initialState(step, ...)`
 * gives the variables' values in the file. The same as the step that was saved, so that training goes on as if it had
 * never stopped; `trainingLoop` takes it too.
 *
 * Files of other tools are taken if they have one training step, of float32 variables, and no `initialization`, which would
 * begin training anew: take it away to go on from the values in the file. What contradicts the specification of
 * `TrainingInfoProto` is `malformed-onnx`.
 */
export function mergedTrainingStep(source: OnnxModel, options: MergeOptions = {}): TrainingStep {
  const info = onlyStepOf(source);
  const combined = concatenated(source.graph, info.algorithm);
  const bindings = Object.entries(info.updateBinding);
  requireBindings(combined, bindings);
  const described = { ...descriptionIn(source), ...options };
  const { learningRate = LEARNING_RATE, batch: shapes = {} } = described;
  const loss = described.loss ?? onlyReport(info, bindings);
  const lossOutput = requireLoss(info, loss);

  const { graph, values } = variablesAsInputs(
    combined,
    bindings.map(([name]) => name),
  );
  const outputs = [loss, ...bindings.map(([name]) => updatedName(name))];
  const nodes = needed([...graph.nodes, ...namedUpdates(bindings)], outputs);
  const taken = new Set([...nodes.flatMap(takenBy), ...outputs]);
  const variables = new Map(graph.inputs.map((input) => [input.name, input]));
  const state = bindings.map(([name]): StateVariable => {
    const shape = variables.get(name)?.shape ?? [];
    return { name, type: 'float32', shape: shape.map(Number), initial: 'given' };
  });
  const ofAlgorithm = new Set([...(info.algorithm?.inputs ?? []), ...state].map(({ name }) => name));
  const inputs = graph.inputs
    .filter(({ name }) => taken.has(name) || ofAlgorithm.has(name))
    .map((input) => ({ ...input, shape: shapes[input.name] ?? input.shape }));
  if (!inputs.some(({ name, type }) => name === learningRate && type === 'float32')) {
    throw malformedGraph(`The training algorithm has no float32 input "${learningRate}" for the learning rate.`);
  }
  const notBatch = new Set([learningRate, ...state.map(({ name }) => name)]);
  const initializers = graph.initializers.filter(({ name }) => taken.has(name));
  const step: TrainingStep = {
    graph: {
      name: graph.name,
      nodes,
      inputs,
      outputs: [
        lossOutput,
        ...state.map(({ name, type, shape }): OnnxValue => ({ name: updatedName(name), type, shape })),
      ],
      initializers,
      values: [],
    },
    state,
    batch: inputs.map(({ name }) => name).filter((name) => !notBatch.has(name)),
    learningRate,
    loss,
    stepCount: nodes.some((each) => isCounting(each, initializers)) ? STEP_COUNT : null,
    initialValues: values,
    unpacked: () => step,
  };
  return step;
}

function onlyStepOf({ trainingInfo = [] }: OnnxModel): TrainingInfo {
  const [info, ...others] = trainingInfo;
  if (info === undefined) throw malformedGraph('The model has no training information (training_info).');
  if (others.length > 0) {
    throw malformedGraph(`The model has ${trainingInfo.length} training steps (training_info); supported: one.`);
  }
  const { initialization, initializationBinding } = info;
  const initialized = Object.keys(initializationBinding);
  if (initialized.length === 0 && (initialization?.nodes ?? []).length === 0) return info;
  throw malformedGraph(
    `The training information has an initialization (${initialized.join(', ') || 'bound to nothing'}); ` +
      'supported: none, so that training goes on from the values in the file.',
  );
}

/** ONNX: "the actual input/initializer/output/node list of the training graph is the concatenation", in that order. */
function concatenated(inference: OnnxGraph, algorithm: OnnxGraph | undefined): OnnxGraph {
  if (algorithm === undefined) throw malformedGraph('The training information has no algorithm.');
  const combined: OnnxGraph = {
    name: algorithm.name,
    nodes: [...inference.nodes, ...algorithm.nodes],
    inputs: [...inference.inputs, ...algorithm.inputs],
    outputs: [...inference.outputs, ...algorithm.outputs],
    initializers: [...inference.initializers, ...algorithm.initializers],
    values: [],
  };
  // An initializer may share its name with an input, whose default it is.
  const inputs = new Set(combined.inputs.map(({ name }) => name));
  const lists = [combined.inputs, combined.outputs, combined.initializers].map((list) => list.map(({ name }) => name));
  const given = [
    ...inputs,
    ...combined.initializers.map(({ name }) => name).filter((name) => !inputs.has(name)),
    ...combined.nodes.flatMap((each) => each.outputs).filter((name) => name !== ''),
  ];
  for (const names of [...lists, given]) {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      throw malformedGraph(`The inference graph and the training algorithm both have "${twice}"; expected it once.`);
    }
  }
  return combined;
}

/** Each variable is a float32 initializer, and each becomes an output. */
function requireBindings(
  { inputs, initializers, outputs, nodes }: OnnxGraph,
  bindings: readonly (readonly [string, string])[],
): void {
  for (const [name, output] of bindings) {
    const variable = initializers.find((each) => each.name === name);
    if (variable === undefined) throw malformedGraph(`update_binding names "${name}", which is no initializer.`);
    if (variable.type !== 'float32') {
      throw malformedGraph(`Variable "${name}" of the training algorithm is of ${variable.type}; supported: float32.`);
    }
    if (!outputs.some((each) => each.name === output)) {
      throw malformedGraph(`update_binding sets "${name}" to "${output}", which is no output.`);
    }
    const updated = updatedName(name);
    const taken = [...inputs, ...initializers].map((each) => each.name);
    if (output !== updated && [...taken, ...nodes.flatMap((each) => each.outputs)].includes(updated)) {
      throw malformedGraph(`"${updated}" is to be the new value of "${name}", and something else has that name.`);
    }
  }
}

/** The output of the algorithm that is there to be read. */
function onlyReport({ algorithm }: TrainingInfo, bindings: readonly (readonly [string, string])[]): string {
  const bound = new Set(bindings.map(([, output]) => output));
  const free = (algorithm?.outputs ?? []).map(({ name }) => name).filter((name) => !bound.has(name));
  const [loss, ...others] = free;
  if (loss !== undefined && others.length === 0) return loss;
  throw malformedGraph(
    `The training algorithm has ${free.length} outputs that no variable is bound to (${free.join(', ')}); say which is the loss.`,
  );
}

/** The loss among the outputs of the algorithm. */
function requireLoss({ algorithm }: TrainingInfo, loss: string): OnnxValue {
  const outputs = algorithm?.outputs ?? [];
  const output = outputs.find(({ name }) => name === loss);
  if (output === undefined) {
    const names = outputs.map(({ name }) => name).join(', ');
    throw malformedGraph(`The training algorithm has no output "${loss}" to be the loss; it has ${names}.`);
  }
  if (output.type === 'float32' && output.shape?.length === 0) return output;
  const found = `${output.type} ${output.shape === null ? 'of unknown shape' : `[${output.shape.join(', ')}]`}`;
  throw malformedGraph(`The loss "${loss}" of the training algorithm is ${found}; expected a float32 scalar.`);
}

/** Gives updates the names that a step's have. */
function namedUpdates(bindings: readonly (readonly [string, string])[]): OnnxNode[] {
  return bindings
    .filter(([name, output]) => output !== updatedName(name))
    .map(([name, output]) => node('Identity', [output], updatedName(name)));
}

/** Whether a node is `step` + 1, which a loop of steps knows beforehand. */
function isCounting({ opType, inputs, outputs }: OnnxNode, constants: readonly OnnxTensor[]): boolean {
  if (opType !== 'Add' || outputs[0] !== updatedName(STEP_COUNT) || !inputs.includes(STEP_COUNT)) return false;
  const one = constants.find(
    ({ name, type, shape }) => inputs.includes(name) && type === 'float32' && shape.length === 0,
  );
  return one !== undefined && valuesOf(one, 'float32')[0] === 1;
}
