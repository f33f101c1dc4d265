import type { Attribute } from '../attributes.ts';
import type { DataType } from '../data-types.ts';
import type { Dimension, OnnxNode } from '../model.ts';

/** What is known of a value before anything runs. */
export interface ValueFacts {
  type: DataType | 'other';
  /** Null when the rank is unknown. */
  shape: readonly Dimension[] | null;
  /** The elements of a short vector, or of a scalar, of integers, as far as they are known: sizes, axes, pads. */
  elements?: readonly Dimension[];
  /** The elements of a short constant vector of float32: scales. */
  floats?: readonly number[];
}

export const UNKNOWN: ValueFacts = { type: 'other', shape: null };

/** A node as a rule sees it: its inputs' facts and its attributes with their defaults. */
export class NodeFacts {
  readonly node: OnnxNode;
  readonly opset: number;
  readonly #inputs: readonly (ValueFacts | undefined)[];

  constructor(node: OnnxNode, inputs: readonly (ValueFacts | undefined)[], opset: number) {
    this.node = node;
    this.opset = opset;
    this.#inputs = inputs;
  }

  has(index: number): boolean {
    return (this.node.inputs[index] ?? '') !== '';
  }

  /** Facts of input `index`; `UNKNOWN` for one that is left out. */
  input(index: number): ValueFacts {
    return this.#inputs[index] ?? UNKNOWN;
  }

  get inputs(): readonly ValueFacts[] {
    return this.node.inputs.map((_name, index) => this.input(index));
  }

  /** The known whole numbers of input `index`, or of attribute `name`, where older operator sets have them. */
  numbers(name: string, index?: number): readonly number[] | undefined {
    const elements = index === undefined ? undefined : this.input(index).elements;
    if (elements?.every((element) => typeof element === 'number')) return elements;
    return this.ints(name);
  }

  ints(name: string): readonly number[] | undefined {
    return this.attribute(name, 'ints')?.map(Number);
  }

  int(name: string, fallback: number): number {
    return Number(this.attribute(name, 'int') ?? fallback);
  }

  string(name: string, fallback: string): string {
    return this.attribute(name, 'string') ?? fallback;
  }

  attribute<Type extends Attribute['type']>(name: string, type: Type): Valued<Type> | undefined {
    const found = this.node.attributes[name];
    return found?.type === type && 'value' in found ? (found.value as Valued<Type>) : undefined;
  }
}

type Valued<Type extends Attribute['type']> =
  Extract<Attribute, { type: Type }> extends { value: infer Value } ? Value : never;

/** Facts of each output, or of the first few. */
export type InferenceRule = (node: NodeFacts) => readonly ValueFacts[];
