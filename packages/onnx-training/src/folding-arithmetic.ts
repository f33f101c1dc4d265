import { malformedGraph } from './errors.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { broadcast, sameShape } from './shapes.ts';

/** A value by its name, or a number, which takes the element type of the other operand. */
export type Term = string | number;

type Compute = (first: number, second: number) => number;

/** `neutral` on the right, and where the operator is symmetric on the left, changes nothing. */
const OPERATORS = {
  Add: { compute: (a, b) => a + b, neutral: 0, isSymmetric: true },
  Sub: { compute: (a, b) => a - b, neutral: 0, isSymmetric: false },
  Mul: { compute: (a, b) => a * b, neutral: 1, isSymmetric: true },
  Div: { compute: (a, b) => a / b, neutral: 1, isSymmetric: false },
} as const satisfies Record<string, { compute: Compute; neutral: number; isSymmetric: boolean }>;

/**
 * Arithmetic that adds nodes only for what is not known when the graph is built. Constant scalars are computed; x + 0,
 * x − 0, x·1 and x/1 are x; and what was repeated by broadcasting is taken as it was before, because arithmetic repeats it
 * anyway.
 */
export class FoldingArithmetic {
  readonly #graph: GraphBuilder;
  /** What a value is a repetition of, along axes of size 1 or missing ones. */
  readonly #repeated = new Map<string, string>();

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
  }

  binary(opType: keyof typeof OPERATORS, first: Term, second: Term): string {
    const graph = this.#graph;
    const like = typeof first === 'string' ? first : second;
    if (typeof like === 'number') throw malformedGraph(`${opType} of two numbers; expected a value among them.`);
    const { compute, neutral, isSymmetric } = OPERATORS[opType];
    const [left, right] = [first, second].map((term) => (typeof term === 'number' ? term : graph.numberOf(term)));
    if (left !== undefined && right !== undefined) return graph.scalar(compute(left, right), like);
    if (right === neutral && typeof first === 'string') return first;
    if (isSymmetric && left === neutral && typeof second === 'string') return second;
    const terms = [first, second].map((term) => (typeof term === 'number' ? graph.scalar(term, like) : term));
    return this.#unrepeated(opType, terms) ?? graph.add(opType, terms);
  }

  /** `name` repeated to `shape`; itself when it has that shape. */
  repeat(name: string, shape: readonly number[]): string {
    if (sameShape(this.#graph.shapeOf(name), shape)) return name;
    const repetition = this.#graph.add('Expand', [name, this.#graph.ints(shape)]);
    this.#repeated.set(repetition, name);
    return repetition;
  }

  /** To be said of a value that is called something else from now on. */
  forget(name: string): void {
    this.#repeated.delete(name);
    for (const [repetition, source] of this.#repeated) if (source === name) this.#repeated.delete(repetition);
  }

  /** The result for what repeated operands are repetitions of, repeated itself; undefined where none is repeated. */
  #unrepeated(opType: keyof typeof OPERATORS, names: readonly string[]): string | undefined {
    const whole = broadcast(...names.map((name) => this.#graph.shapeOf(name)));
    if (whole === null || !names.some((name) => this.#repeated.has(name))) return undefined;
    const [first = '', second = ''] = names.map((name) => this.#repeated.get(name) ?? name);
    return this.repeat(this.binary(opType, first, second), whole);
  }
}
