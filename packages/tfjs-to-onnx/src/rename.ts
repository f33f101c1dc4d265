import type { OnnxGraph } from '@atelier/onnx';

/** `graph` with the values in `names` called otherwise, wherever they are named. Bodies of operators stay: ours take nothing from outside but constants, which keep their names. */
export function renameValues(graph: OnnxGraph, names: ReadonlyMap<string, string>): OnnxGraph {
  const renamed = (name: string) => names.get(name) ?? name;
  const withName = <Named extends { name: string }>(named: Named): Named => ({ ...named, name: renamed(named.name) });
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      // A node that is called after its result stays so.
      name: node.name === node.outputs[0] ? renamed(node.name) : node.name,
      inputs: node.inputs.map(renamed),
      outputs: node.outputs.map(renamed),
    })),
    inputs: graph.inputs.map(withName),
    outputs: graph.outputs.map(withName),
    initializers: graph.initializers.map(withName),
    values: graph.values.map(withName),
  };
}

/** The first name that is given to two values; undefined when each has its own. */
export function ambiguousName({ inputs, initializers, nodes }: OnnxGraph): string | undefined {
  const given = [...inputs, ...initializers].map(({ name }) => name).concat(nodes.flatMap(({ outputs }) => outputs));
  const seen = new Set<string>();
  // '' is an output that a node leaves out.
  return given.find((name) => name !== '' && seen.size === seen.add(name).size);
}
