import type { OnnxNode } from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { NodeView } from './node-view.ts';
import { sameShape, shown, type TensorType } from './shapes.ts';

/** A node of the forward graph as the rule that differentiates it sees it: what flows back, and what is wanted. */
export class DifferentiatedNode extends NodeView {
  readonly #gradients: readonly (string | undefined)[];
  readonly #wanted: ReadonlySet<string>;
  readonly #kept: Readonly<Record<string, string>>;
  /** The outputs whose gradients the rule has asked for. */
  readonly #read = new Set<number>();

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

  /** The gradient of the loss with respect to the first output, zeros where the loss does not depend on it. */
  get gradient(): string {
    return this.outputGradient(0);
  }

  /** The gradient of the loss with respect to output `index`, zeros where the loss does not depend on it. */
  outputGradient(index: number): string {
    const output = this.output(index);
    return this.flowTo(index) ?? this.graph.filled(0, this.graph.shapeOf(output), output);
  }

  /** The gradient of the loss with respect to output `index`; undefined where the loss does not depend on it. */
  flowTo(index: number): string | undefined {
    this.#read.add(index);
    return this.#gradients[index];
  }

  /** Whether the loss depends on output `index`. */
  hasGradient(index: number): boolean {
    return this.#gradients[index] !== undefined;
  }

  /** Whether the gradient of input `index` is wanted. */
  wants(index: number): boolean {
    return this.#wanted.has(this.node.inputs[index] ?? '');
  }

  /** What `work` gives when the gradient of input `index` is wanted, otherwise undefined. */
  ifWanted(index: number, work: () => string): string | undefined {
    return this.wants(index) ? work() : undefined;
  }

  /**
   * What a rule gave, when it is all that it was asked for: a gradient of the right type and shape for every input that
   * one is wanted of, and every output that one flows to taken into account.
   */
  checked(gradients: readonly (string | undefined)[]): readonly (string | undefined)[] {
    for (const [index, input] of this.node.inputs.entries()) {
      if (!this.wants(index)) continue;
      const gradient = gradients[index];
      if (gradient === undefined) {
        throw this.unsupported(`the loss depends on its input ${index} ("${input}"), to which no gradient flows.`);
      }
      const [given, expected] = [this.graph.typeOf(gradient), this.typeOf(index)];
      if (given.type !== expected.type || !sameShape(given.shape, expected.shape)) {
        const described = ({ type, shape }: TensorType) => `${type} ${shown(shape)}`;
        throw this.malformed(`the gradient by input ${index} is ${described(given)}; expected ${described(expected)}.`);
      }
    }
    for (const [index, output] of this.node.outputs.entries()) {
      if (this.hasGradient(index) && !this.#read.has(index)) {
        throw this.unsupported(
          `the loss depends on its output ${index} ("${output}"), through which no gradient flows.`,
        );
      }
    }
    return gradients;
  }

  kept(name: string): string {
    const value = this.#kept[name];
    if (value === undefined) throw malformedGraph(`${this.title} has kept no ${name}.`);
    return value;
  }

  /** The name of output `index`, which the node gives from now on if it did not before. */
  requireOutput(index: number): string {
    return this.graph.requireOutput(this.node, index);
  }
}
