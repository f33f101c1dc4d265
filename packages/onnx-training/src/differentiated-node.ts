import type { OnnxNode } from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { NodeView } from './node-view.ts';

/** A node of the forward graph as the rule that differentiates it sees it: what flows back, and what is wanted. */
export class DifferentiatedNode extends NodeView {
  readonly #gradients: readonly (string | undefined)[];
  readonly #wanted: ReadonlySet<string>;
  readonly #kept: Readonly<Record<string, string>>;

  constructor(
    node: OnnxNode,
    graph: GraphBuilder,
    flow: {
      /** Of the loss with respect to each output; undefined where it does not depend on it. */
      gradients: readonly (string | undefined)[];
      /** Values whose gradients are wanted. */
      wanted: ReadonlySet<string>;
      /** What the operator's `expand` kept. */
      kept: Readonly<Record<string, string>>;
    },
  ) {
    super(node, graph);
    this.#gradients = flow.gradients;
    this.#wanted = flow.wanted;
    this.#kept = flow.kept;
  }

  /** The gradient of the loss with respect to the first output. */
  get gradient(): string {
    const gradient = this.#gradients[0];
    if (gradient !== undefined) return gradient;
    throw this.unsupported(
      `the loss depends on another output than its first ("${this.output(0)}"), and no gradient flows through that.`,
    );
  }

  /** The gradient of the loss with respect to output `index`, zeros where the loss does not depend on it. */
  outputGradient(index: number): string {
    const output = this.output(index);
    return this.#gradients[index] ?? this.graph.filled(0, this.graph.shapeOf(output), output);
  }

  /** Whether the gradient of input `index` is wanted. */
  wants(index: number): boolean {
    return this.#wanted.has(this.node.inputs[index] ?? '');
  }

  /** What `work` gives when the gradient of input `index` is wanted, otherwise undefined. */
  ifWanted(index: number, work: () => string): string | undefined {
    return this.wants(index) ? work() : undefined;
  }

  kept(name: string): string {
    const value = this.#kept[name];
    if (value === undefined) throw malformedGraph(`${this.title} has kept no ${name}.`);
    return value;
  }

  /** The name of output `index`, which the node gives from now on if it did not before. */
  requireOutput(index: number): string {
    return this.graph.requireOutput(this.node, index).name;
  }
}
