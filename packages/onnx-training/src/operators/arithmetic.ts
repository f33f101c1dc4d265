import type { DifferentiatedNode } from '../differentiated-node.ts';
import { valueByBroadcasting, valueLikeFirst } from './inference.ts';
import type { Operator } from './operator.ts';

/** The gradient of a function of one value, given those of its result, its input and its result. */
type UnaryGradient = (node: DifferentiatedNode, gradient: string, input: string, output: string) => string;
/** The gradients of a function of two values before broadcasting is undone. */
type BinaryGradient = (
  node: DifferentiatedNode,
  gradient: string,
  first: string,
  second: string,
) => [first: () => string, second: () => string];

export function unary(gradient: UnaryGradient): Operator {
  return {
    infer: valueLikeFirst,
    gradient: (node) => [node.ifWanted(0, () => gradient(node, node.gradient, node.input(0), node.output(0)))],
  };
}

function binary(gradients: BinaryGradient): Operator {
  return {
    infer: valueByBroadcasting,
    gradient: (node) =>
      gradients(node, node.gradient, node.input(0), node.input(1)).map((gradient, index) =>
        node.ifWanted(index, () => node.graph.sumTo(gradient(), node.shapeOf(index))),
      ),
  };
}

/** Element-wise arithmetic. A value that broadcasting repeated gets the sum of what flows to its copies. */
export const ARITHMETIC = {
  Add: binary((_node, gradient) => [() => gradient, () => gradient]),
  Sub: binary(({ graph }, gradient) => [() => gradient, () => graph.negative(gradient)]),
  Mul: binary(({ graph }, gradient, first, second) => [
    () => graph.times(gradient, second),
    () => graph.times(gradient, first),
  ]),
  Div: binary((node, gradient, _first, second) => [
    () => node.graph.over(gradient, second),
    () => node.graph.negative(node.graph.over(node.graph.times(gradient, node.output(0)), second)),
  ]),
  Pow: binary((node, gradient, base, exponent) => [
    () => powerByBase(node, gradient, base, exponent),
    () => powerByExponent(node, gradient, base),
  ]),
  Neg: unary(({ graph }, gradient) => graph.negative(gradient)),
  Exp: unary(({ graph }, gradient, _input, output) => graph.times(gradient, output)),
  Log: unary(({ graph }, gradient, input) => graph.over(gradient, input)),
  Sqrt: unary(({ graph }, gradient, _input, output) => graph.over(graph.times(gradient, 0.5), output)),
  Reciprocal: unary(({ graph }, gradient, _input, output) =>
    graph.negative(graph.times(gradient, graph.times(output, output))),
  ),
  Abs: unary(({ graph }, gradient, input) => graph.times(gradient, graph.add('Sign', [input]))),
  Erf: unary(({ graph }, gradient, input) => {
    const density = graph.add('Exp', [graph.negative(graph.times(input, input))]);
    return graph.times(gradient, graph.times(density, 2 / Math.sqrt(Math.PI)));
  }),
  Identity: unary((_node, gradient) => gradient),
  Sign: { infer: valueLikeFirst },
  Max: { infer: valueByBroadcasting },
  Min: { infer: valueByBroadcasting },
} satisfies Record<string, Operator>;

/** y·xʸ⁻¹; not y·xʸ/x, which is no number at x = 0. */
function powerByBase({ graph }: DifferentiatedNode, gradient: string, base: string, exponent: string): string {
  return graph.times(gradient, graph.times(exponent, graph.add('Pow', [base, graph.minus(exponent, 1)])));
}

/** xʸ·ln x, and 0 where x is 0, its limit for positive exponents. A negative base gives NaN, as the logarithm does. */
function powerByExponent(node: DifferentiatedNode, gradient: string, base: string): string {
  const { graph } = node;
  const isZero = graph.add('Equal', [base, graph.scalar(0, base)]);
  const logarithm = graph.add('Log', [graph.add('Where', [isZero, graph.scalar(1, base), base])]);
  return graph.times(gradient, graph.times(node.output(0), logarithm));
}
