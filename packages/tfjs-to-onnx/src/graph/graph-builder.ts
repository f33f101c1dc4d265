import {
  inferNode,
  node,
  type AttributeSource,
  type DataType,
  type Dimension,
  factsOf,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  value,
  type ValueFacts,
} from '@atelier/onnx';
import { malformed } from '../errors.ts';
import { shownShape, type Value } from './value.ts';

/**
 * A graph under construction. The type and the shape of every value are inferred when its node is added, and every name
 * is given once.
 */
export class GraphBuilder {
  readonly opset: number;
  readonly #outer: GraphBuilder | undefined;
  readonly #nodes: OnnxNode[] = [];
  readonly #known = new Map<string, ValueFacts>();
  readonly #initializers = new Map<string, OnnxTensor>();
  readonly #inputs: OnnxValue[] = [];

  constructor(opset: number, outer?: GraphBuilder) {
    this.opset = opset;
    this.#outer = outer;
  }

  /**
   * The body of a node of this graph. It may take constants of this graph by name, and its own constants become constants
   * of this graph; whatever else it takes must be handed to it. No name is given in both.
   */
  body(): GraphBuilder {
    return new GraphBuilder(this.opset, this);
  }

  input(name: string, type: DataType, shape: readonly Dimension[]): Value {
    const free = this.unusedName(name);
    this.#known.set(free, { type, shape });
    this.#inputs.push(value(free, type, shape));
    return { name: free, type, shape };
  }

  /** Adds nodes with the given outputs; a shape that is not inferred is our mistake. */
  add(
    opType: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, AttributeSource>>,
  ): Value[] {
    const names = inputs.map((input) => input?.name ?? '');
    while (names.at(-1) === '') names.pop();
    const added = node(opType, names, outputs, attributes);
    const facts = inferNode(added, (name) => this.#factsOf(name), this.opset);
    const values = outputs.map((name, index): Value => {
      const { type = 'other', shape = null, ...rest } = facts[index] ?? {};
      if (type === 'other' || shape === null) {
        const from = inputs.map((input) => (input ? shownShape(input.shape) : '-')).join(', ');
        throw new Error(`The shape of output ${index} of ${opType} "${name}" of ${from} cannot be inferred.`);
      }
      return { ...rest, name, type, shape };
    });
    values.forEach((result) => {
      if (result.name === '') return;
      this.#requireFree(result.name);
      this.#known.set(result.name, result);
    });
    this.#nodes.push(added);
    return values;
  }

  /** A constant under its own name; the same name a second time must mean the same constant. */
  initializer(tensor: OnnxTensor): Value {
    if (this.#outer) return this.#outer.initializer(tensor);
    if (!this.#initializers.has(tensor.name)) {
      this.#requireFree(tensor.name);
      this.#initializers.set(tensor.name, tensor);
      this.#known.set(tensor.name, factsOf(tensor));
    }
    const { name, type, shape } = tensor;
    return { ...factsOf(tensor), name, type, shape };
  }

  /** The constant of this name, if it is there. */
  constant(name: string): Value | undefined {
    if (this.#outer) return this.#outer.constant(name);
    return this.#initializers.has(name) ? this.known(name) : undefined;
  }

  /** The value of this name, if it is there. */
  known(name: string): Value | undefined {
    const { type = 'other', shape = null, ...rest } = this.#factsOf(name) ?? {};
    return type === 'other' || shape === null ? undefined : { ...rest, name, type, shape };
  }

  /** A value of which more is known than its node tells: an open size that is the same as another one. */
  refined(source: Value, shape: readonly Dimension[]): Value {
    const result = { ...source, shape };
    this.#known.set(source.name, result);
    return result;
  }

  has(name: string): boolean {
    return this.#known.has(name) || (this.#outer?.has(name) ?? false);
  }

  /** Whether it is a value of this graph, and not of the graph around it. */
  isOwn(name: string): boolean {
    return this.#known.has(name);
  }

  unusedName(name: string): string {
    if (!this.has(name)) return name;
    for (let count = 2; ; count++) if (!this.has(`${name}_${count}`)) return `${name}_${count}`;
  }

  /** How many nodes there are by now. */
  get length(): number {
    return this.#nodes.length;
  }

  /**
   * Calls `source` `name` from now on, if one of the nodes from `start` on gives it and the name is free. Only what was
   * added since `start` may have taken it.
   */
  rename(source: Value, name: string, start: number): Value {
    const isNew = this.#nodes.slice(start).some(({ outputs }) => outputs.includes(source.name));
    if (!isNew || this.has(name)) return source;
    const changed = (each: string) => (each === source.name ? name : each);
    for (let index = start; index < this.#nodes.length; index++) {
      const old = this.#nodes[index];
      if (!old) continue;
      const outputs = old.outputs.map(changed);
      const isProducer = old.outputs.includes(source.name) && old.name === source.name;
      this.#nodes[index] = { ...old, inputs: old.inputs.map(changed), outputs, ...(isProducer && { name }) };
    }
    this.#known.delete(source.name);
    this.#known.set(name, source);
    return { ...source, name };
  }

  /** Whether two values are computed alike: by the same operators from the same values and from equal constants. */
  isSame(first: string, second: string): boolean {
    if (first === second) return true;
    const [constant, other] = [this.#initializers.get(first), this.#initializers.get(second)];
    if (constant && other) {
      const { type, shape, data } = constant;
      return type === other.type && shape.join() === other.shape.join() && data.join() === other.data.join();
    }
    const [maker, otherMaker] = [first, second].map((name) =>
      this.#nodes.find(({ outputs }) => outputs.includes(name)),
    );
    return (
      maker?.opType === otherMaker?.opType &&
      maker?.outputs.indexOf(first) === otherMaker?.outputs.indexOf(second) &&
      JSON.stringify(maker?.attributes) === JSON.stringify(otherMaker?.attributes) &&
      maker?.inputs.length === otherMaker?.inputs.length &&
      (maker?.inputs.every((name, index) => this.isSame(name, otherMaker?.inputs[index] ?? '')) ?? false)
    );
  }

  /** Layers and weights of a file may have names that become the same value. */
  #requireFree(name: string): void {
    if (this.has(name)) throw malformed(`Two values would be called "${name}"; expected different names.`);
  }

  #factsOf(name: string): ValueFacts | undefined {
    const own = this.#known.get(name);
    return own ?? (this.#outer ? this.#outer.#constantFacts(name) : undefined);
  }

  #constantFacts(name: string): ValueFacts | undefined {
    if (this.#outer) return this.#outer.#constantFacts(name);
    return this.#initializers.has(name) ? this.#known.get(name) : undefined;
  }

  graph(name: string, outputs: readonly Value[]): OnnxGraph {
    return {
      name,
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs: outputs.map((output) => value(output.name, output.type, output.shape)),
      initializers: [...this.#initializers.values()],
      values: [],
    };
  }
}
