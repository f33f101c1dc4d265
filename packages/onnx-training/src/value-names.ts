import type { Attribute, OnnxGraph, OnnxNode } from '@atelier/onnx';

/** Every name of a value in `graph`, those inside the bodies of its nodes included. */
export function valueNames({ nodes, inputs, outputs, initializers }: OnnxGraph): Set<string> {
  const names = [...inputs, ...outputs, ...initializers].map(({ name }) => name);
  for (const each of nodes) {
    names.push(...each.inputs, ...each.outputs);
    for (const body of bodiesOf(each)) names.push(...valueNames(body));
  }
  return new Set(names.filter((name) => name !== ''));
}

/** `graph` with its values called by other names, those inside the bodies of its nodes included. */
export function renamedValues(graph: OnnxGraph, other: (name: string) => string): OnnxGraph {
  const renamed = <T extends { name: string }>(named: T): T => ({ ...named, name: other(named.name) });
  return {
    ...graph,
    nodes: graph.nodes.map((each) => renamedNode(each, other)),
    inputs: graph.inputs.map(renamed),
    outputs: graph.outputs.map(renamed),
    initializers: graph.initializers.map(renamed),
    values: graph.values.map(renamed),
  };
}

/** A node that takes and gives values of other names; its own name stays. */
export function renamedNode(source: OnnxNode, other: (name: string) => string): OnnxNode {
  const renamed = (name: string) => (name === '' ? '' : other(name));
  const attributes = Object.entries(source.attributes).map(([key, attribute]): [string, Attribute] => {
    if (attribute.type === 'graph') return [key, { ...attribute, value: renamedValues(attribute.value, other) }];
    if (attribute.type !== 'graphs') return [key, attribute];
    return [key, { ...attribute, value: attribute.value.map((body) => renamedValues(body, other)) }];
  });
  return {
    ...source,
    inputs: source.inputs.map(renamed),
    outputs: source.outputs.map(renamed),
    attributes: Object.fromEntries(attributes),
  };
}

/** The values that a node takes, those that its bodies take from outside included; not inputs that it leaves out. */
export function takenBy(source: OnnxNode): string[] {
  const given = source.inputs.filter((name) => name !== '');
  return [...given, ...bodiesOf(source).flatMap((body) => [...valueNames(body)])];
}

/** `wanted`, or the first name like it that is not among `taken`; it is then. */
export function freshName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}_${number}`;
  taken.add(name);
  return name;
}

function bodiesOf({ attributes }: OnnxNode): OnnxGraph[] {
  return Object.values(attributes).flatMap((attribute) => {
    if (attribute.type === 'graph') return [attribute.value];
    return attribute.type === 'graphs' ? [...attribute.value] : [];
  });
}
