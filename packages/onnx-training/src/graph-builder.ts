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
import { NodeView } from './node-view.ts';
import { operatorOf } from './operators/index.ts';
import { broadcast, product, range, repeatedAxes, sameShape, type TensorType } from './shapes.ts';

/** A value by its name, or a number, which takes the element type of the other operand. */
export type Term = string | number;

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
  readonly #shared = new Map<string, string>();
  /** What a value is a repetition of, along axes of size 1 or missing ones. */
  readonly #repeated = new Map<string, string>();
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
    const [first] = numbers;
    const content = numbers.every((number) => number === first) ? `${first}` : `[${numbers.join()}]`;
    return this.#sharedConstant(`constant/${type}${shape.map((size) => `/${size}`).join('')}/${content}`, (name) => {
      if (type === 'float32' || type === 'float64' || type === 'int32' || type === 'int64')
        return tensor(name, type, shape, numbers);
      throw malformedGraph(`"${like}" is of ${type}; expected float32, float64, int32 or int64.`);
    });
  }

  /** A one-dimensional int64 constant; equal ones are one. */
  ints(values: readonly number[]): string {
    return this.#sharedConstant(`constant/int64/[${values.join()}]`, (name) => int64Vector(name, values));
  }

  /** Adds a node; the name of its only or first output. */
  add(opType: string, inputs: readonly string[], attributes: Record<string, AttributeSource> = {}): string {
    const [name] = this.addNode(node(opType, inputs, this.#fresh(opType), attributes));
    return name ?? '';
  }

  /** Adds a node as it is; the names of its outputs. */
  addNode(source: OnnxNode): readonly string[] {
    this.#nodes.push(source);
    const constant = constantOf(source);
    const [only] = source.outputs;
    if (constant !== undefined && only !== undefined) this.#constants.set(only, { ...constant, name: only });
    const view = new NodeView(source, this);
    for (const name of source.inputs) if (name !== '') this.typeOf(name);
    const types = operatorOf(view).infer(view);
    source.outputs.forEach((name, index) => {
      const type = types[index];
      if (type === undefined) throw malformedGraph(`${view.title} gives ${types.length} outputs, not ${index + 1}.`);
      if (name !== '') this.#define(name, type);
    });
    return source.outputs;
  }

  /** Makes a node that was added give its output `index` too, one that the specification leaves optional. */
  requireOutput(source: OnnxNode, index: number): string {
    const first = source.outputs[0] ?? '';
    const place = this.#nodes.findIndex(({ outputs }) => outputs.includes(first));
    const present = this.#nodes[place] ?? source; // it may have been given another output since
    const existing = present.outputs[index] ?? '';
    if (existing !== '') return existing;
    const name = `${first}/output_${index}`;
    const outputs = range(Math.max(index + 1, present.outputs.length)).map((position) =>
      position === index ? name : (present.outputs[position] ?? ''),
    );
    const extended = { ...present, outputs };
    this.#nodes[place] = extended;
    const view = new NodeView(extended, this);
    const type = operatorOf(view).infer(view)[index];
    if (type === undefined) throw malformedGraph(`${view.title} has no output ${index}.`);
    this.#define(name, type);
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
    for (const [repetition, source] of this.#repeated) if (source === name) this.#repeated.delete(repetition);
    for (let index = producer; index < this.#nodes.length; index++) {
      const each = this.#nodes[index];
      if (each === undefined) continue;
      this.#nodes[index] = { ...each, inputs: changed(each.inputs), outputs: changed(each.outputs) };
    }
  }

  /** What is known when the graph is built is computed then: constant scalars, and x + 0, x − 0, x·1 and x/1, which are x. */
  plus(first: Term, second: Term): string {
    return this.#binary('Add', first, second);
  }

  minus(first: Term, second: Term): string {
    return this.#binary('Sub', first, second);
  }

  times(first: Term, second: Term): string {
    return this.#binary('Mul', first, second);
  }

  over(first: Term, second: Term): string {
    return this.#binary('Div', first, second);
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
    return this.add('Reshape', [name, this.ints(shape)]);
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
    if (sameShape(this.shapeOf(name), shape)) return name;
    const repetition = this.add('Expand', [name, this.ints(shape)]);
    this.#repeated.set(repetition, name);
    return repetition;
  }

  /** The graph with these outputs, and without what they do not depend on. All inputs stay. */
  graph(name: string, outputs: readonly string[]): OnnxGraph {
    const used = new Set(outputs);
    const nodes = this.#nodes.toReversed().filter((each) => {
      if (!each.outputs.some((output) => used.has(output))) return false;
      for (const input of each.inputs) used.add(input);
      return true;
    });
    return {
      name,
      nodes: nodes.toReversed(),
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
    if (name === '') throw malformedGraph('A value has no name.');
    if (this.#types.has(name)) throw malformedGraph(`Value "${name}" is given twice.`);
    product(type.shape);
    this.#types.set(name, type);
  }

  #binary(opType: keyof typeof ARITHMETIC, first: Term, second: Term): string {
    const like = typeof first === 'string' ? first : second;
    if (typeof like === 'number') throw malformedGraph(`${opType} of two numbers; expected a value among them.`);
    const { compute, neutral, isSymmetric } = ARITHMETIC[opType];
    const [left, right] = [first, second].map((term) => (typeof term === 'number' ? term : this.numberOf(term)));
    if (left !== undefined && right !== undefined) return this.scalar(compute(left, right), like);
    if (right === neutral && typeof first === 'string') return first;
    if (isSymmetric && left === neutral && typeof second === 'string') return second;
    const terms = [first, second].map((term) => (typeof term === 'number' ? this.scalar(term, like) : term));
    return (
      this.#unrepeated(terms, ([one = first, other = second]) => this.#binary(opType, one, other)) ??
      this.add(opType, terms)
    );
  }

  /** What `compute` gives for the sources of repeated operands, repeated itself; undefined where none was repeated. */
  #unrepeated(names: readonly string[], compute: (sources: readonly string[]) => string): string | undefined {
    const whole = broadcast(...names.map((name) => this.shapeOf(name)));
    if (whole === null || !names.some((name) => this.#repeated.has(name))) return undefined;
    return this.repeat(compute(names.map((name) => this.#repeated.get(name) ?? name)), whole);
  }

  #fresh(opType: string): string {
    for (;;) {
      const name = `${this.#prefix === '' ? '' : `${this.#prefix}/`}${opType}_${++this.#count}`;
      if (!this.has(name)) return name;
    }
  }

  #sharedConstant(key: string, make: (name: string) => OnnxTensor): string {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.initializer(make(this.has(key) ? this.#fresh(key) : key));
    this.#shared.set(key, name);
    return name;
  }
}

/** Operators that `plus` and its like add; `neutral` on the right, and where it is symmetric on the left, changes nothing. */
const ARITHMETIC = {
  Add: { compute: (a, b) => a + b, neutral: 0, isSymmetric: true },
  Sub: { compute: (a, b) => a - b, neutral: 0, isSymmetric: false },
  Mul: { compute: (a, b) => a * b, neutral: 1, isSymmetric: true },
  Div: { compute: (a, b) => a / b, neutral: 1, isSymmetric: false },
} as const satisfies Record<
  string,
  { compute: (first: number, second: number) => number; neutral: number; isSymmetric: boolean }
>;

/** What a Constant node holds, in whichever of its attributes that we read. */
function constantOf({ opType, attributes }: OnnxNode): OnnxTensor | undefined {
  if (opType !== 'Constant') return undefined;
  const { value: held, value_float: number, value_int: integer, value_ints: integers } = attributes;
  if (held?.type === 'tensor') return held.value;
  if (number?.type === 'float') return tensor('', 'float32', [], [number.value]);
  if (integer?.type === 'int') return tensor('', 'int64', [], [integer.value]);
  if (integers?.type === 'ints') return tensor('', 'int64', [integers.value.length], integers.value);
  return undefined;
}
