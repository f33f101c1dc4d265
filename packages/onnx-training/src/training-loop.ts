import {
  boolScalar,
  graphAttribute,
  int,
  int64Scalar,
  model,
  node,
  type OnnxGraph,
  type OnnxModel,
  value,
} from '@atelier/onnx';
import { LEARNING_RATE, type TrainingStep, updatedName } from './training-step.ts';

/** The input of learning rates, and the output of losses, one for each step. */
export const LEARNING_RATES = 'learning_rates';
export const LOSSES = 'losses';

/** The dimension that counts the steps of a call. */
const STEPS = 'steps';

/** 17 has every operator that we write; forward graphs with newer ones say theirs. */
const LOOP_OPSET = 17;

/**
 * A model that takes many steps in one call, because a call into a runtime costs more than a step of a small network.
 * Inputs: each batch input with an axis of steps before its own, `learning_rates` float32 [steps], and the state.
 * Outputs: `losses` float32 [steps], and the state as `<name>_new`. The steps are the body of an ONNX Loop, whose
 * carried values are the state.
 */
export function trainingLoop(step: TrainingStep, opset = LOOP_OPSET): OnnxModel {
  const { graph, state, batch } = step;
  const chunkName = (name: string) => `${name}/steps`;
  const take = (source: string, name: string) => node('Gather', [source, 'iteration'], name, { axis: int(0) });
  const body: OnnxGraph = {
    ...graph,
    name: `${graph.name}_step`,
    nodes: [
      ...batch.map((name) => take(chunkName(name), name)),
      take(LEARNING_RATES, LEARNING_RATE),
      ...graph.nodes,
      node('Identity', ['condition'], 'go_on'),
    ],
    inputs: [
      value('iteration', 'int64', []),
      value('condition', 'bool', []),
      ...state.map(({ name, type, shape }) => value(name, type, shape)),
    ],
    outputs: [
      value('go_on', 'bool', []),
      ...state.map(({ name, type, shape }) => value(updatedName(name), type, shape)),
      value(step.loss, 'float32', []),
    ],
  };
  const outer: OnnxGraph = {
    name: graph.name,
    nodes: [
      node('Shape', [LEARNING_RATES], 'shape'),
      node('Gather', ['shape', 'zero'], 'trip_count'),
      node(
        'Loop',
        ['trip_count', 'always', ...state.map(({ name }) => `${name}/begin`)],
        [...state.map(({ name }) => `${updatedName(name)}`), LOSSES],
        { body: graphAttribute(body) },
      ),
    ],
    inputs: [
      ...graph.inputs
        .filter(({ name }) => batch.includes(name))
        .map((input) => ({ ...input, name: chunkName(input.name), shape: [STEPS, ...(input.shape ?? [])] })),
      value(LEARNING_RATES, 'float32', [STEPS]),
      ...state.map(({ name, type, shape }) => value(`${name}/begin`, type, shape)),
    ],
    outputs: [
      ...state.map(({ name, type, shape }) => value(updatedName(name), type, shape)),
      value(LOSSES, 'float32', [STEPS]),
    ],
    initializers: [int64Scalar('zero', 0), boolScalar('always', true)],
    values: [],
  };
  return model(outer, { opsetImports: [{ domain: '', version: opset }], producerName: 'atelier' });
}
