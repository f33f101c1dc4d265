import type { OnnxGraph, OnnxNode } from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import { takenBy } from './value-names.ts';

/**
 * What `outputs` depend on, as a graph that gives them: of a network with its loss, the network alone. They are outputs
 * of `graph` or values whose types it says; anything else is `malformed-onnx`.
 */
export function subgraph(graph: OnnxGraph, outputs: readonly string[]): OnnxGraph {
  const nodes = needed(graph.nodes, outputs);
  const taken = new Set([...nodes.flatMap(takenBy), ...outputs]);
  const isTaken = ({ name }: { name: string }) => taken.has(name);
  const declared = new Map([...graph.values, ...graph.inputs, ...graph.outputs].map((each) => [each.name, each]));
  return {
    ...graph,
    nodes,
    inputs: graph.inputs.filter(isTaken),
    outputs: outputs.map((name) => {
      const output = declared.get(name);
      if (output !== undefined) return output;
      throw malformedGraph(`"${name}" is no output of graph "${graph.name}", and no value of declared type.`);
    }),
    initializers: graph.initializers.filter(isTaken),
    values: graph.values.filter(({ name }) => taken.has(name) && !outputs.includes(name)),
  };
}

/** The nodes that `outputs` depend on, in their order. */
export function needed(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  const names = new Set(outputs);
  return nodes
    .toReversed()
    .filter((each) => {
      const isNeeded = each.outputs.some((name) => names.has(name));
      if (isNeeded) for (const name of takenBy(each)) names.add(name);
      return isNeeded;
    })
    .reverse();
}
