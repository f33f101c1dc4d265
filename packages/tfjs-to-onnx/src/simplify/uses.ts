import type { OnnxGraph, OnnxNode, OnnxTensor } from '@atelier/onnx';
import { namesIn } from './prune.ts';

/** Who gives and who takes the values of a graph. */
export class Uses {
  readonly #graph: OnnxGraph;
  readonly #producers: ReadonlyMap<string, OnnxNode>;
  readonly #constants: ReadonlyMap<string, OnnxTensor>;
  readonly #counts = new Map<string, number>();

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
    this.#producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
    const given = new Set(graph.inputs.map(({ name }) => name));
    this.#constants = new Map(
      graph.initializers.filter(({ name }) => !given.has(name)).map((tensor) => [tensor.name, tensor] as const),
    );
    const taken = [...graph.nodes.flatMap(namesIn), ...graph.outputs.map(({ name }) => name)];
    for (const name of taken) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** The node that gives a value which is taken once; undefined for any other, which nodes cannot be merged over. */
  onlyFor(name: string | undefined): OnnxNode | undefined {
    return this.isTakenOnce(name) ? this.#producers.get(name ?? '') : undefined;
  }

  isTakenOnce(name: string | undefined): boolean {
    return this.#counts.get(name ?? '') === 1;
  }

  constant(name: string | undefined): OnnxTensor | undefined {
    return this.#constants.get(name ?? '');
  }

  /** The graph with some of its nodes replaced, or gone, and constants added. */
  replaced(nodes: ReadonlyMap<OnnxNode, OnnxNode | undefined>, constants: readonly OnnxTensor[] = []): OnnxGraph {
    return {
      ...this.#graph,
      nodes: this.#graph.nodes.flatMap((node) => (nodes.has(node) ? (nodes.get(node) ?? []) : node)),
      initializers: [...this.#graph.initializers, ...constants],
    };
  }
}
