import { float32Values, type OnnxGraph, type OnnxTensor, value } from '@atelier/onnx';
import { malformedGraph } from './errors.ts';

/**
 * The graph with the initializers among `names` as inputs, because they are to change, and the values that they had.
 * Values in another file are not read.
 */
export function variablesAsInputs(
  graph: OnnxGraph,
  names: readonly string[],
): { graph: OnnxGraph; values: Record<string, Float32Array> } {
  const isVariable = new Set(names);
  const variables = graph.initializers.filter(({ name }) => isVariable.has(name));
  const isHere = new Set(variables.map(({ name }) => name));
  return {
    graph: {
      ...graph,
      inputs: [
        ...graph.inputs.filter(({ name }) => !isHere.has(name)),
        ...variables.map(({ name, type, shape }) => value(name, type, shape)),
      ],
      initializers: graph.initializers.filter(({ name }) => !isHere.has(name)),
    },
    values: Object.fromEntries(
      variables.filter(({ external }) => external === undefined).map((each) => [each.name, numbersOf(each)]),
    ),
  };
}

function numbersOf(variable: OnnxTensor): Float32Array {
  if (variable.type === 'float32') return float32Values(variable);
  throw malformedGraph(`"${variable.name}", which is to change, is of ${variable.type}; expected float32.`);
}
