import type { OnnxGraph, OnnxNode } from '@atelier/onnx';
import type { Constants } from './constants.ts';

/** What patterns may ask about a graph. */
interface Graph {
  constants: Constants;
  producer(name: string): OnnxNode | undefined;
  /** The node that alone takes a value, which is no output of the graph. */
  onlyConsumer(name: string): OnnxNode | undefined;
}

/** Nodes that together are one operator: the first of them, the last, and what goes in. */
interface Match {
  opType: string;
  input: string;
  nodes: readonly OnnxNode[];
}

/**
 * `graph` with each function that its exporter wrote out as arithmetic in place of its parts: gelu, swish and mish. Nodes in
 * between that something else takes as well stay as they are.
 */
export function withRecognizedFunctions(graph: OnnxGraph, constants: Constants): readonly OnnxNode[] {
  const view = viewOf(graph, constants);
  const replaced = new Map<OnnxNode, OnnxNode | null>();
  for (const node of graph.nodes) {
    const find = Object.hasOwn(PATTERNS, node.opType) ? PATTERNS[node.opType] : undefined;
    const match = find?.(node, view);
    const last = match?.nodes.at(-1);
    if (!match || !last || match.nodes.some((each) => replaced.has(each))) continue;
    for (const each of match.nodes) replaced.set(each, null);
    replaced.set(last, { ...last, opType: match.opType, inputs: [match.input], attributes: {} });
  }
  return graph.nodes.flatMap((node) => {
    const replacement = replaced.get(node);
    return replacement === undefined ? [node] : replacement === null ? [] : [replacement];
  });
}

/** By the operator that gives each pattern away. */
const PATTERNS: Partial<Record<string, (node: OnnxNode, graph: Graph) => Match | undefined>> = {
  Erf: (erf, graph) => {
    const scaling = graph.producer(erf.inputs[0] ?? '');
    const input = scaling && scaledBy(scaling, graph, Math.SQRT1_2);
    const sum = graph.onlyConsumer(erf.outputs[0] ?? '');
    if (!scaling || input === undefined || sum?.opType !== 'Add' || otherConstant(sum, erf, graph) !== 1)
      return undefined;
    if (graph.onlyConsumer(scaling.outputs[0] ?? '') !== erf) return undefined;
    const products = halfOf(input, sum, graph);
    return products && { opType: 'Gelu', input, nodes: [scaling, erf, sum, ...products] };
  },
  Sigmoid: (sigmoid, graph) => gatedBy(sigmoid, sigmoid.inputs[0] ?? '', [sigmoid], 'Swish', graph),
  Softplus: (softplus, graph) => {
    const tanh = graph.onlyConsumer(softplus.outputs[0] ?? '');
    if (tanh?.opType !== 'Tanh') return undefined;
    return gatedBy(tanh, softplus.inputs[0] ?? '', [softplus, tanh], 'Mish', graph);
  },
};

/** x·gate(x), where `gate` is the last of `nodes`. */
function gatedBy(gate: OnnxNode, input: string, nodes: OnnxNode[], opType: string, graph: Graph): Match | undefined {
  const product = graph.onlyConsumer(gate.outputs[0] ?? '');
  const isGated = product?.opType === 'Mul' && product.inputs.includes(input) && !graph.constants.has(input);
  return isGated ? { opType, input, nodes: [...nodes, product] } : undefined;
}

/** The products of ½, x and the sum, in whatever order they were written. */
function halfOf(input: string, sum: OnnxNode, graph: Graph): OnnxNode[] | undefined {
  const first = graph.onlyConsumer(sum.outputs[0] ?? '');
  if (first?.opType !== 'Mul') return undefined;
  const other = first.inputs.find((name) => !sum.outputs.includes(name)) ?? '';
  const inner = graph.producer(other);
  if (inner && graph.onlyConsumer(other) === first && scaledBy(inner, graph, 0.5) === input) return [inner, first];
  const second = graph.onlyConsumer(first.outputs[0] ?? '');
  if (second?.opType !== 'Mul') return undefined;
  const half = other === input ? otherConstant(second, first, graph) : numberOf(other, graph);
  const isWhole = half === 0.5 && (other === input || second.inputs.includes(input));
  return isWhole ? [first, second] : undefined;
}

/** What a node multiplies by `factor`, or divides by its inverse. */
function scaledBy(node: OnnxNode, graph: Graph, factor: number): string | undefined {
  const [first = '', second = ''] = node.inputs;
  const isClose = (value: number | undefined) => value !== undefined && Math.abs(value - factor) < 1e-6;
  if (node.opType === 'Div') {
    const divisor = numberOf(second, graph);
    return divisor !== undefined && isClose(1 / divisor) ? first : undefined;
  }
  if (node.opType !== 'Mul') return undefined;
  if (isClose(numberOf(second, graph))) return first;
  return isClose(numberOf(first, graph)) ? second : undefined;
}

/** The number that `node` takes beside the output of `source`. */
function otherConstant(node: OnnxNode, source: OnnxNode, graph: Graph): number | undefined {
  return numberOf(node.inputs.find((name) => !source.outputs.includes(name)) ?? '', graph);
}

function numberOf(name: string, { constants }: Graph): number | undefined {
  const found = constants.has(name) ? constants.find(name) : undefined;
  return found?.values.length === 1 ? found.values[0] : undefined;
}

function viewOf({ nodes, outputs }: OnnxGraph, constants: Constants): Graph {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const consumers = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const name of new Set(node.inputs)) consumers.set(name, [...(consumers.get(name) ?? []), node]);
  }
  const given = new Set(outputs.map(({ name }) => name));
  return {
    constants,
    producer: (name) => producers.get(name),
    onlyConsumer: (name) => {
      const found = consumers.get(name) ?? [];
      return found.length === 1 && !given.has(name) ? found[0] : undefined;
    },
  };
}
