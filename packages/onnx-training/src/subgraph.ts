import type { OnnxGraph, OnnxValue } from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import { takenBy } from './value-names.ts';

/**
 * What `outputs` depend on, as a graph that gives them: of a network with its loss, the network alone. Outputs that the
 * graph did not give before are of float32 and of no declared shape.
 */
export function subgraph(graph: OnnxGraph, outputs: readonly string[]): OnnxGraph {
  const needed = new Set(outputs);
  const kept = new Set(
    graph.nodes.toReversed().filter((each) => {
      const isNeeded = each.outputs.some((name) => needed.has(name));
      if (isNeeded) for (const name of takenBy(each)) needed.add(name);
      return isNeeded;
    }),
  );
  const given = new Set([
    ...[...kept].flatMap((each) => each.outputs),
    ...[...graph.inputs, ...graph.initializers].map(({ name }) => name),
  ]);
  const declared = new Map([...graph.values, ...graph.inputs, ...graph.outputs].map((each) => [each.name, each]));
  const isNeeded = ({ name }: { name: string }) => needed.has(name);
  return {
    ...graph,
    nodes: graph.nodes.filter((each) => kept.has(each)),
    inputs: graph.inputs.filter(isNeeded),
    outputs: outputs.map((name): OnnxValue => {
      if (!given.has(name)) throw malformedGraph(`Graph "${graph.name}" gives no value "${name}".`);
      return declared.get(name) ?? { name, type: 'float32', shape: null };
    }),
    initializers: graph.initializers.filter(isNeeded),
    values: graph.values.filter(({ name }) => needed.has(name) && !outputs.includes(name)),
  };
}
