import {
  type AttributeSource,
  type DataType,
  dataTypeCode,
  int,
  int64Vector,
  node,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  tensor,
  value,
  valuesOf,
} from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import { FoldingArithmetic, type Term } from './folding-arithmetic.ts';
import { NodeView } from './node-view.ts';
import { operatorOf } from './operators/index.ts';
import { product, range, repeatedAxes, sameShape, shown, type TensorType } from './shapes.ts';
import { needed } from './subgraph.ts';

export type { Term } from './folding-arithmetic.ts';

/** Characters of a constant that its name may show; a longer one is called by its type and shape. */
const LONGEST_NAMED = 40;

/**
 * A graph under construction in which the type and the shape of every value are known. Nodes are added in execution
 * order; each `add` gives the name of its result, so that a formula reads as nested calls.
 */
export class GraphBuilder {
  readonly #types = new Map<string, TensorType>();
  readonly #constants = new Map<string, OnnxTensor>();
  readonly #initializers: OnnxTensor[] = [];
  readonly #inputs: string[] = [];
  readonly #parameters: string[] = [];
  readonly #nodes: OnnxNode[] = [];
  /** Names of constants that may be used again, by what they are. */
  readonly #sharedNames = new Map<string, string>();
  readonly #arithmetic = new FoldingArithmetic(this);
  /** What the names of new values begin with. */
  #prefix = '';
  #count = 0;

  /** Runs `work`; the values that it adds have names that begin with `prefix`. */
  under<T>(prefix: string, work: () => T): T {
    const outer = this.#prefix;
    this.#prefix = prefix;
    try {
      return work();
    } finally {
      this.#prefix = outer;
    }
  }

  input(name: string, type: DataType, shape: readonly number[]): string {
    this.#define(name, { type, shape });
    this.#inputs.push(name);
    return name;
  }

  /** A constant under its own name. */
  initializer(constant: OnnxTensor): string {
    this.#define(constant.name, { type: constant.type, shape: constant.shape });
    this.#initializers.push(constant);
    this.#constants.set(constant.name, constant);
    return constant.name;
  }

  /** A constant that is to be trained: an initializer whose name `parameters` lists. */
  parameter(initial: OnnxTensor): string {
    this.#parameters.push(this.initializer(initial));
    return initial.name;
  }

  /** The names of what `parameter` added. */
  get parameters(): readonly string[] {
    return this.#parameters;
  }

  /** A scalar of the element type of `like`; equal ones are one. */
  scalar(number: number, like: string): string {
    return this.numbers([], [number], like);
  }

  /** A one-dimensional constant of the element type of `like`. */
  vector(numbers: readonly number[], like: string): string {
    return this.numbers([numbers.length], numbers, like);
  }

  /** A constant of the element type of `like`, row-major; equal ones are one. */
  numbers(shape: readonly number[], numbers: readonly number[], like: string): string {
    const { type } = this.typeOf(like);
    if (type !== 'float32' && type !== 'float64' && type !== 'int32' && type !== 'int64') {
      throw malformedGraph(`"${like}" is of ${type}; expected float32, float64, int32 or int64.`);
    }
    const [first] = numbers;
    const content = numbers.every((number) => number === first) ? `${first}` : `[${numbers.join()}]`;
    return this.#shared(type, shape, content, (name) => tensor(name, type, shape, numbers));
  }

  /** A one-dimensional int64 constant; equal ones are one. */
  ints(values: readonly number[]): string {
    return this.#shared('int64', [values.length], `[${values.join()}]`, (name) => int64Vector(name, values));
  }

  /** Adds a node; the name of its only or first output. */
  add(opType: string, inputs: readonly string[], attributes: Record<string, AttributeSource> = {}): string {
    const [name] = this.addNode(node(opType, inputs, this.#fresh(opType), attributes));
    return name ?? '';
  }

  /** Adds a node as it is; the names of its outputs. A node that is refused leaves the graph as it was. */
  addNode(source: OnnxNode): readonly string[] {
    const view = new NodeView(source, this);
    for (const name of source.inputs) if (name !== '') this.typeOf(name);
    const { infer, constant } = operatorOf(view);
    const types = infer(view);
    const given = source.outputs.flatMap((name, index) => (name === '' ? [] : [{ name, type: types[index] }]));
    for (const [index, { name, type }] of given.entries()) {
      if (type === undefined)
        throw malformedGraph(`${view.title} gives ${types.length} outputs; "${name}" is one more.`);
      this.#requireNew(name, type);
      if (given.findIndex((each) => each.name === name) < index)
        throw malformedGraph(`Value "${name}" is given twice.`);
    }
    const known = view.hasOutput(0) ? constant?.(view) : undefined;
    for (const { name, type } of given) if (type !== undefined) this.#define(name, type);
    if (known !== undefined) this.#constants.set(known.name, known);
    this.#nodes.push(source);
    return source.outputs;
  }

  /** Makes a node that was added give its output `index` too, one that the specification leaves optional. */
  requireOutput(source: OnnxNode, index: number): string {
    const known = source.outputs.find((name) => name !== '') ?? '';
    const place = this.#nodes.findIndex(({ outputs }) => outputs.includes(known));
    const present = this.#nodes[place];
    if (present === undefined) throw malformedGraph(`"${known}" is given by no node of the graph.`);
    const existing = present.outputs[index] ?? ''; // it may have been given another output since
    if (existing !== '') return existing;
    const name = this.#unused(`${known}/output_${index}`);
    const outputs = range(Math.max(index + 1, present.outputs.length)).map((position) =>
      position === index ? name : (present.outputs[position] ?? ''),
    );
    const view = new NodeView({ ...present, outputs }, this);
    const type = operatorOf(view).infer(view)[index];
    if (type === undefined) throw malformedGraph(`${view.title} has no output ${index}.`);
    this.#define(name, type);
    this.#nodes[place] = view.node;
    return name;
  }

  /** Calls the result `name` of a node by another name from now on. An input keeps its name and gets a copy. */
  rename(name: string, other: string): void {
    const changed = (names: readonly string[]) => names.map((each) => (each === name ? other : each));
    const producer = this.#nodes.findIndex(({ outputs }) => outputs.includes(name));
    if (producer === -1) {
      this.addNode(node('Identity', [name], other));
      return;
    }
    this.#define(other, this.typeOf(name));
    this.#types.delete(name);
    this.#arithmetic.forget(name);
    for (let index = producer; index < this.#nodes.length; index++) {
      const each = this.#nodes[index];
      if (each === undefined) continue;
      this.#nodes[index] = { ...each, inputs: changed(each.inputs), outputs: changed(each.outputs) };
    }
  }

  /** first + second; it and its like below compute what is known already, and add a node only for the rest. */
  plus(first: Term, second: Term): string {
    return this.#arithmetic.binary('Add', first, second);
  }

  minus(first: Term, second: Term): string {
    return this.#arithmetic.binary('Sub', first, second);
  }

  times(first: Term, second: Term): string {
    return this.#arithmetic.binary('Mul', first, second);
  }

  over(first: Term, second: Term): string {
    return this.#arithmetic.binary('Div', first, second);
  }

  negative(name: string): string {
    const number = this.numberOf(name);
    return number === undefined ? this.add('Neg', [name]) : this.scalar(-number, name);
  }

  /** `name` as elements of `type`. */
  cast(name: string, type: DataType): string {
    if (this.typeOf(name).type === type) return name;
    return this.add('Cast', [name], { to: int(dataTypeCode(type)) });
  }

  has(name: string): boolean {
    return this.#types.has(name);
  }

  typeOf(name: string): TensorType {
    const type = this.#types.get(name);
    if (type !== undefined) return type;
    throw malformedGraph(`Value "${name}" is used, and nothing before gives it.`);
  }

  shapeOf(name: string): readonly number[] {
    return this.typeOf(name).shape;
  }

  /** The tensor that a value always is, where that is known. */
  constantOf(name: string): OnnxTensor | undefined {
    return this.#constants.get(name);
  }

  /** The number that a floating-point scalar always is, where that is known. */
  numberOf(name: string): number | undefined {
    const constant = this.#constants.get(name);
    if (constant?.shape.length !== 0) return undefined;
    if (constant.type === 'float32') return valuesOf(constant, 'float32')[0];
    return constant.type === 'float64' ? valuesOf(constant, 'float64')[0] : undefined;
  }

  /** `name` in another shape of as many elements; itself when it has that shape. */
  reshape(name: string, shape: readonly number[]): string {
    if (sameShape(this.shapeOf(name), shape)) return name;
    const zeros = shape.includes(0) ? { allowzero: int(1) } : {}; // without, 0 is a size that stays as it was
    return this.add('Reshape', [name, this.ints(shape)], zeros);
  }

  /** Sums `name` back to `shape`, from which broadcasting made its own. */
  sumTo(name: string, shape: readonly number[]): string {
    const from = this.shapeOf(name);
    const axes = repeatedAxes(from, shape);
    if (axes.length === 0) return this.reshape(name, shape);
    return this.reshape(this.sum(name, axes, false), shape);
  }

  /** The sum over `axes`, which stay as axes of size 1 when `keep` says so. */
  sum(name: string, axes: readonly number[], keep: boolean): string {
    if (axes.length === 0) return name;
    if (!keep && this.#isOverRows(name, axes)) return this.#weightedRows(name, 1);
    return this.add('ReduceSum', [name, this.ints(axes)], { keepdims: int(keep ? 1 : 0) });
  }

  /** The mean over `axes`, which go. */
  mean(name: string, axes: readonly number[]): string {
    const count = product(axes.map((axis) => this.shapeOf(name)[axis] ?? 1));
    if (this.#isOverRows(name, axes)) return this.#weightedRows(name, 1 / count);
    return this.times(this.sum(name, axes, false), 1 / count);
  }

  /** Runtimes multiply a vector by a matrix several times faster than they reduce its rows. */
  #isOverRows(name: string, axes: readonly number[]): boolean {
    const { type, shape } = this.typeOf(name);
    return shape.length === 2 && axes.length === 1 && axes[0] === 0 && (type === 'float32' || type === 'float64');
  }

  #weightedRows(name: string, weight: number): string {
    const [rows = 1] = this.shapeOf(name);
    return this.add('MatMul', [this.vector(new Array<number>(rows).fill(weight), name), name]);
  }

  /** A value of `shape` filled with `number`, of the element type of `like`. */
  filled(number: number, shape: readonly number[], like: string): string {
    return this.repeat(this.scalar(number, like), shape);
  }

  /**
   * `name` repeated to `shape` by broadcasting; itself when it has that shape. Arithmetic takes what it was repeated
   * from, so that a repetition is a node of the graph only where something else needs it.
   */
  repeat(name: string, shape: readonly number[]): string {
    return this.#arithmetic.repeat(name, shape);
  }

  /** The graph with these outputs, and without what they do not depend on. All inputs stay. */
  graph(name: string, outputs: readonly string[]): OnnxGraph {
    const nodes = needed(this.#nodes, outputs);
    const used = new Set([...outputs, ...nodes.flatMap(({ inputs }) => inputs)]);
    return {
      name,
      nodes,
      inputs: this.#inputs.map((input) => this.#value(input)),
      outputs: outputs.map((output) => this.#value(output)),
      initializers: this.#initializers.filter((initializer) => used.has(initializer.name)),
      values: [],
    };
  }

  #value(name: string) {
    const { type, shape } = this.typeOf(name);
    return value(name, type, shape);
  }

  #define(name: string, type: TensorType): void {
    this.#requireNew(name, type);
    this.#types.set(name, type);
  }

  #requireNew(name: string, { shape }: TensorType): void {
    if (name === '') throw malformedGraph('A value has no name.');
    if (this.#types.has(name)) throw malformedGraph(`Value "${name}" is given twice.`);
    if (shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return;
    throw malformedGraph(`"${name}" has shape ${shown(shape)}; expected whole numbers of 0 or more.`);
  }

  /** A name for the result of a node, which no value has. */
  #fresh(opType: string): string {
    for (;;) {
      const name = `${this.#prefix === '' ? '' : `${this.#prefix}/`}${opType}_${++this.#count}`;
      if (!this.has(name)) return name;
    }
  }

  /** `name`, or one like it that no value has. */
  #unused(name: string): string {
    return this.has(name) ? this.#fresh(name) : name;
  }

  /** The name of the constant that is `content` of `type` and `shape`, which `make` makes where there is none yet. */
  #shared(type: DataType, shape: readonly number[], content: string, make: (name: string) => OnnxTensor): string {
    const kind = ['constant', type, ...shape].join('/');
    const key = `${kind}/${content}`;
    const known = this.#sharedNames.get(key);
    if (known !== undefined) return known;
    const name = this.initializer(make(this.#unused(content.length <= LONGEST_NAMED ? key : kind)));
    this.#sharedNames.set(key, name);
    return name;
  }
}
