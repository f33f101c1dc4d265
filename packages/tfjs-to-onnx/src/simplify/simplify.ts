import { inferGraph, type OnnxGraph, value } from '@atelier/onnx';
import { prune } from './prune.ts';
import { sinkTransposes } from './sink-transposes.ts';

/** The graph as a reader would write it: fewer nodes that compute the same, and types and shapes of all values written down. */
export function simplified(graph: OnnxGraph, opset: number): OnnxGraph {
  return withShapes(prune(sinkTransposes(prune(graph), opset)), opset);
}

function withShapes(graph: OnnxGraph, opset: number): OnnxGraph {
  const facts = inferGraph(graph, opset);
  const outer = new Set(graph.outputs.map(({ name }) => name));
  const given = graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '' && !outer.has(name));
  const values = given.flatMap((name) => {
    const { type = 'other', shape = null } = facts.get(name) ?? {};
    return type === 'other' || shape === null ? [] : [value(name, type, shape)];
  });
  return { ...graph, values };
}
