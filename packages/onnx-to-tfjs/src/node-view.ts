import type { Attribute, Dimension, OnnxNode, ValueFacts } from '@atelier/onnx';
import type { Constant, Constants } from './constants.ts';
import { malformed, nodeLabel, unsupportedNode } from './errors.ts';
import { layerName } from './layer-names.ts';
import { channelsLast, type Value, withLayout } from './layouts.ts';
import type { LayerDescription, LayerOutput, Network } from './network.ts';

/** What a rule may ask about the graph around a node. */
export interface Surroundings {
  network: Network;
  constants: Constants;
  opset: number;
  facts: ReadonlyMap<string, ValueFacts>;
  values: ReadonlyMap<string, Value>;
  /** What several nodes or outputs take. */
  shared: ReadonlySet<LayerOutput>;
  warn(message: string): void;
}

/** Converts one node: adds its layers to the network, and resolves to what its first output is there. */
export type Rule = (node: NodeView) => Value;

/** A node as its rule sees it. */
export class NodeView {
  readonly node: OnnxNode;
  readonly network: Network;
  readonly opset: number;
  readonly #around: Surroundings;

  constructor(node: OnnxNode, around: Surroundings) {
    this.node = node;
    this.network = around.network;
    this.opset = around.opset;
    this.#around = around;
  }

  /** The name of the layer, taken from what its weights are called, if that says anything. */
  name(...weights: readonly (Constant | undefined)[]): string {
    return layerName(
      this.node,
      weights.flatMap((weight) => weight?.origin ?? []),
    );
  }

  has(index: number): boolean {
    return (this.node.inputs[index] ?? '') !== '';
  }

  isConstant(index: number): boolean {
    return this.#around.constants.has(this.node.inputs[index] ?? '');
  }

  /** A tensor that is computed from the model's input. */
  value(index: number): Value {
    const name = this.node.inputs[index] ?? '';
    const value = this.#around.values.get(name);
    if (value) return value;
    if (this.#around.constants.has(name)) {
      throw this.refuse(
        `its input ${index} is the constant "${name}"; supported: what is computed from the model's input.`,
      );
    }
    if (this.#around.facts.get(name)?.elements) {
      throw this.refuse(`its input ${index} is a size of a tensor; supported: sizes that only a Reshape takes.`);
    }
    throw malformed(`${nodeLabel(this.node)} takes "${name}", which nothing before it gives.`);
  }

  /** An input that the file holds, or undefined where it is left out. */
  constant(index: number): Constant | undefined {
    if (!this.has(index)) return undefined;
    const found = this.#around.constants.find(this.node.inputs[index] ?? '');
    if (found) return found;
    throw this.refuse(
      `its input ${index}, "${this.node.inputs[index]}", is computed; supported: a constant. ` +
        'Export the model with its weights as initializers.',
    );
  }

  weight(index: number): Constant {
    return this.constant(index) ?? this.#lacks(index);
  }

  /** Whole numbers that are an attribute or, in later operator sets, input `index`; undefined where neither is there. */
  numbers(attribute: string, index: number): readonly number[] | undefined {
    if (!this.has(index)) return this.ints(attribute);
    const elements = this.#around.facts.get(this.node.inputs[index] ?? '')?.elements;
    if (elements?.every((element) => typeof element === 'number')) return elements;
    throw this.refuse(`its ${attribute} are computed; supported: constant ones.`);
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name, 'ints')?.map(Number);
  }

  int(name: string, fallback: number): number {
    return Number(this.#attribute(name, 'int') ?? fallback);
  }

  float(name: string, fallback: number): number {
    return this.#attribute(name, 'float') ?? fallback;
  }

  text(name: string, fallback: string): string {
    return this.#attribute(name, 'string') ?? fallback;
  }

  /** The shape of the first output, in the graph's order. */
  get outputShape(): readonly Dimension[] {
    const shape = this.#around.facts.get(this.node.outputs[0] ?? '')?.shape;
    if (shape) return shape;
    throw this.refuse(
      'the shape of its output cannot be told from the file. Export the model with shapes written down.',
    );
  }

  get outputType(): ValueFacts['type'] {
    return this.#around.facts.get(this.node.outputs[0] ?? '')?.type ?? 'other';
  }

  /** True where this node alone takes `value`, so that the layer that gives it may become more than it is. */
  isOnlyUse({ source }: Value): boolean {
    return !this.#around.shared.has(source) && source.layer.calls.length === 1;
  }

  values(): Value[] {
    return this.node.inputs.map((_name, index) => this.value(index));
  }

  /** Whatever decides the weights that this node's layer makes of the constants: nodes that agree are one layer. */
  sharingKey(constants: readonly (Constant | undefined)[], order?: readonly number[]): string {
    return JSON.stringify([constants.map((constant) => constant?.origin), this.node.attributes, order]);
  }

  add(description: LayerDescription, inputs: LayerOutput[]): LayerOutput {
    return this.network.add(description, inputs);
  }

  /** `value` in the model's axis order `layout`, whatever that takes. */
  arranged(value: Value, layout: readonly number[]): Value {
    const arranged = withLayout(this.network, value, layout, this.name());
    if (arranged) return arranged;
    throw this.refuse('it needs a Reshape with two open sizes. Export the model with fixed sizes.');
  }

  /** `value` with axis 1 in the graph's order, where it was flattened in another one. */
  inGraphOrder(value: Value): Value {
    return value.flattened ? this.arranged(value, value.layout) : value;
  }

  /** `value` with the channels, the graph's axis 1, last. */
  channelsLast(value: Value): Value {
    return this.arranged(value, channelsLast(value.shape.length));
  }

  /** `axis` counted from the front. */
  axis(axis: number, { shape }: Value): number {
    return axis < 0 ? axis + shape.length : axis;
  }

  warn(message: string): void {
    this.#around.warn(`${nodeLabel(this.node)}: ${message}`);
  }

  refuse(reason: string) {
    return unsupportedNode(this.node, reason);
  }

  /** A graph that does not fit itself. */
  contradicts(what: string) {
    return malformed(`${nodeLabel(this.node)}: ${what}.`);
  }

  #attribute<Type extends Attribute['type']>(name: string, type: Type) {
    const found = this.node.attributes[name];
    if (found === undefined) return undefined;
    if (found.type === type && 'value' in found) return found.value as ValueOf<Type>;
    throw malformed(`${nodeLabel(this.node)} has an attribute ${name} of type ${found.type}; expected ${type}.`);
  }

  #lacks(index: number): never {
    throw malformed(`${nodeLabel(this.node)} lacks input ${index}.`);
  }
}

type ValueOf<Type extends Attribute['type']> =
  Extract<Attribute, { type: Type }> extends { value: infer Held } ? Held : never;
