import { type DataType, type OnnxNode, type OnnxTensor, valuesOf } from '@atelier/onnx';
import { malformedGraph, notDifferentiable } from './errors.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { positiveAxis, shown, type TensorType } from './shapes.ts';

/** A node with its attributes checked and its inputs' types known. */
export class NodeView {
  readonly node: OnnxNode;
  readonly graph: GraphBuilder;

  constructor(node: OnnxNode, graph: GraphBuilder) {
    this.node = node;
    this.graph = graph;
  }

  /** `Gemm "dense/product"`, for messages. */
  get title(): string {
    return `${this.node.opType} "${this.node.name || this.firstOutput}"`;
  }

  /** The first of its outputs that it gives. */
  get firstOutput(): string {
    return this.node.outputs.find((name) => name !== '') ?? '';
  }

  get inputCount(): number {
    return this.node.inputs.length;
  }

  get outputCount(): number {
    return this.node.outputs.length;
  }

  hasInput(index: number): boolean {
    return (this.node.inputs[index] ?? '') !== '';
  }

  hasOutput(index: number): boolean {
    return (this.node.outputs[index] ?? '') !== '';
  }

  input(index: number): string {
    const name = this.node.inputs[index] ?? '';
    if (name === '') throw malformedGraph(`${this.title} has no input ${index}.`);
    return name;
  }

  output(index: number): string {
    const name = this.node.outputs[index] ?? '';
    if (name === '') throw malformedGraph(`${this.title} has no output ${index}.`);
    return name;
  }

  typeOf(index: number): TensorType {
    return this.graph.typeOf(this.input(index));
  }

  shapeOf(index: number): readonly number[] {
    return this.typeOf(index).shape;
  }

  elementType(index: number): DataType {
    return this.typeOf(index).type;
  }

  int(name: string, fallback: number): number {
    const attribute = this.node.attributes[name];
    if (attribute === undefined) return fallback;
    if (attribute.type === 'int') return Number(attribute.value);
    throw malformedGraph(`Attribute ${name} of ${this.title} is of type ${attribute.type}; expected int.`);
  }

  float(name: string, fallback: number): number {
    const attribute = this.node.attributes[name];
    if (attribute === undefined) return fallback;
    if (attribute.type === 'float') return attribute.value;
    throw malformedGraph(`Attribute ${name} of ${this.title} is of type ${attribute.type}; expected float.`);
  }

  string(name: string, fallback: string): string {
    const attribute = this.node.attributes[name];
    if (attribute === undefined) return fallback;
    if (attribute.type === 'string') return attribute.value;
    throw malformedGraph(`Attribute ${name} of ${this.title} is of type ${attribute.type}; expected string.`);
  }

  ints(name: string): number[] | undefined {
    const attribute = this.node.attributes[name];
    if (attribute === undefined) return undefined;
    if (attribute.type === 'ints') return attribute.value.map(Number);
    throw malformedGraph(`Attribute ${name} of ${this.title} is of type ${attribute.type}; expected ints.`);
  }

  /** The tensor that input `index` always is; undefined when the input is left out. */
  constant(index: number): OnnxTensor | undefined {
    if (!this.hasInput(index)) return undefined;
    const tensor = this.graph.constantOf(this.input(index));
    const problem = tensor === undefined ? 'is computed' : tensor.external && 'is in another file';
    if (tensor !== undefined && problem === undefined) return tensor;
    throw notDifferentiable(
      `${this.#inputTitle(index)} ${problem}; supported: a constant in the graph, because shapes must be known.`,
    );
  }

  /** The whole numbers that input `index` always is, int32 or int64. */
  constantInts(index: number): number[] | undefined {
    return this.#constantNumbers(index, ['int64', 'int32']);
  }

  /** The number that the scalar input `index` always is. */
  constantNumber(index: number): number | undefined {
    return this.#constantNumbers(index, ['float32', 'float64', 'int64', 'int32'])?.[0];
  }

  #constantNumbers(index: number, types: readonly ('float32' | 'float64' | 'int64' | 'int32')[]): number[] | undefined {
    const tensor = this.constant(index);
    if (tensor === undefined) return undefined;
    const type = types.find((each) => each === tensor.type);
    if (type !== undefined) return Array.from<number | bigint, number>(valuesOf(tensor, type), Number);
    throw malformedGraph(`${this.#inputTitle(index)} is of ${tensor.type}; expected ${types.join(' or ')}.`);
  }

  #inputTitle(index: number): string {
    return `Input ${index} ("${this.input(index)}") of ${this.title}`;
  }

  /** Axis `axis` of a value of `rank`, counted from the front. */
  axis(axis: number, rank: number): number {
    const positive = positiveAxis(axis, rank);
    if (positive !== null) return positive;
    throw malformedGraph(`${this.title} names axis ${axis} of a value of rank ${rank}.`);
  }

  /** Axes of a value of `rank`, counted from the front, each of them once. */
  axes(axes: readonly number[], rank: number): number[] {
    const positive = axes.map((axis) => this.axis(axis, rank));
    if (new Set(positive).size === positive.length) return positive;
    throw malformedGraph(`${this.title} names an axis twice: ${shown(axes)} of a value of rank ${rank}.`);
  }

  /** The attribute `axis`, or `fallback` where there is none, as an axis of a value of `rank`, counted from the front. */
  axisAttribute(fallback: number, rank: number): number {
    return this.axis(this.int('axis', fallback), rank);
  }

  malformed(problem: string): Error {
    return malformedGraph(`${this.title}: ${problem}`);
  }

  unsupported(problem: string): Error {
    return notDifferentiable(`${this.title}: ${problem}`);
  }
}
