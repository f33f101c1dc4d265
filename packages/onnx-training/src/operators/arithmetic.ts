import type { DifferentiatedNode } from '../differentiated-node.ts';
import { range } from '../shapes.ts';
import { valueByBroadcasting, valueLikeFirst } from './inference.ts';
import type { Operator } from './operator.ts';

/** The gradient of a function of one value, given those of its result, its input and its result. */
type UnaryGradient = (node: DifferentiatedNode, gradient: string, input: string, output: string) => string;
/** The gradients of a function of two values, each of the shape of its result or summed to that of the operand. */
type BinaryGradient = (
  node: DifferentiatedNode,
  gradient: string,
  first: string,
  second: string,
) => [first: () => string, second: () => string];

/** `gradient` where `condition` holds, and zeros elsewhere. */
export function whereOnly({ graph }: DifferentiatedNode, condition: string, gradient: string): string {
  return graph.add('Where', [condition, gradient, graph.scalar(0, gradient)]);
}

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

const TIES = 'of equal elements, that of the first operand gets the gradient';

/** Element-wise arithmetic. A value that broadcasting repeated gets the sum of what flows to its copies. */
export const ARITHMETIC = {
  Add: binary((_node, gradient) => [() => gradient, () => gradient]),
  Sub: binary((node, gradient) => [
    () => gradient,
    () => node.graph.negative(node.graph.sumTo(gradient, node.shapeOf(1))), // the sum first, as it is smaller
  ]),
  Mul: binary(({ graph }, gradient, first, second) => [
    () => graph.times(gradient, second),
    () => graph.times(gradient, first),
  ]),
  Div: binary((node, gradient, _first, second) => {
    const { graph } = node;
    const share = graph.over(gradient, second);
    return [() => share, () => graph.negative(graph.sumTo(graph.times(share, node.output(0)), node.shapeOf(1)))];
  }),
  Pow: {
    ...binary((node, gradient, base, exponent) => [
      () => powerByBase(node, gradient, base, exponent),
      () => powerByExponent(node, gradient, base),
    ]),
    limits: 'by the exponent, NaN where the base is negative',
  },
  Sum: {
    infer: valueByBroadcasting,
    gradient: (node) =>
      range(node.inputCount).map((index) =>
        node.ifWanted(index, () => node.graph.sumTo(node.gradient, node.shapeOf(index))),
      ),
  },
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
    return graph.times(graph.times(gradient, 2 / Math.sqrt(Math.PI)), density);
  }),
  Identity: unary((_node, gradient) => gradient),
  Max: { infer: valueByBroadcasting, gradient: extremeGradient, limits: TIES },
  Min: { infer: valueByBroadcasting, gradient: extremeGradient, limits: TIES },
  Sign: { infer: valueLikeFirst },
} satisfies Record<string, Operator>;

/**
 * y·xʸ⁻¹; not y·xʸ/x, which is no number at x = 0. Where y is 0 it is 0·x⁰, because 0·x⁻¹ is no number there either. The
 * exponent may be of another type.
 */
function powerByBase({ graph }: DifferentiatedNode, gradient: string, base: string, exponent: string): string {
  const known = graph.numberOf(exponent);
  if (known === 0) return graph.filled(0, graph.shapeOf(gradient), gradient);
  if (known === 1) return gradient;
  if (known === 2) return graph.times(graph.times(gradient, 2), base);
  const power = graph.cast(exponent, graph.typeOf(base).type);
  const less = graph.minus(power, 1);
  const isZero = known === undefined ? graph.add('Equal', [power, graph.scalar(0, power)]) : undefined;
  const lower = isZero === undefined ? less : graph.add('Where', [isZero, power, less]);
  return graph.times(gradient, graph.times(graph.add('Pow', [base, lower]), power));
}

/** xʸ·ln x, and 0 where x is 0, its limit for positive exponents. A negative base gives NaN, as the logarithm does. */
function powerByExponent(node: DifferentiatedNode, gradient: string, base: string): string {
  const { graph } = node;
  const isZero = graph.add('Equal', [base, graph.scalar(0, base)]);
  const logarithm = graph.add('Log', [graph.add('Where', [isZero, graph.scalar(1, base), base])]);
  const slope = graph.times(node.output(0), logarithm);
  return graph.cast(graph.times(gradient, slope), node.elementType(1));
}

/** Everything to the first operand that is the result; what it does not get may be for the next. */
function extremeGradient(node: DifferentiatedNode): (string | undefined)[] {
  const { graph } = node;
  const zero = graph.scalar(0, node.gradient);
  let rest = node.gradient;
  return range(node.inputCount).map((index) => {
    const isLast = index === node.inputCount - 1;
    if (isLast) return node.ifWanted(index, () => graph.sumTo(rest, node.shapeOf(index)));
    const isChosen = graph.add('Equal', [node.input(index), node.output(0)]);
    const taken = graph.add('Where', [isChosen, rest, zero]);
    rest = graph.add('Where', [isChosen, zero, rest]);
    return node.ifWanted(index, () => graph.sumTo(taken, node.shapeOf(index)));
  });
}
