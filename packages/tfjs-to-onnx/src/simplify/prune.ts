import type { OnnxGraph, OnnxNode } from '@atelier/onnx';

/** `graph` without nodes and constants that no output depends on. Its inputs stay. */
export function prune(graph: OnnxGraph): OnnxGraph {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const nodes: OnnxNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(withoutUnused(node, needed));
    for (const name of namesIn(node)) needed.add(name);
  }
  return {
    ...graph,
    nodes: nodes.reverse(),
    initializers: graph.initializers.filter(({ name }) => needed.has(name)),
    values: graph.values.filter(({ name }) => needed.has(name)),
  };
}

/** Operators that may leave out any of their outputs. */
const OPTIONAL_OUTPUTS = ['GRU', 'LSTM', 'RNN'];

function withoutUnused(node: OnnxNode, needed: ReadonlySet<string>): OnnxNode {
  if (!OPTIONAL_OUTPUTS.includes(node.opType)) return node;
  const outputs = node.outputs.map((name) => (needed.has(name) ? name : ''));
  while (outputs.at(-1) === '') outputs.pop();
  return { ...node, outputs };
}

/** What a node takes, and what the bodies in its attributes take from outside. */
export function namesIn(node: OnnxNode): string[] {
  const inner = Object.values(node.attributes).flatMap((attribute) =>
    attribute.type === 'graph'
      ? attribute.value.nodes.flatMap(namesIn).concat(attribute.value.outputs.map(({ name }) => name))
      : [],
  );
  return [...node.inputs, ...inner].filter((name) => name !== '');
}
