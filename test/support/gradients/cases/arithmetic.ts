import { data, type GradientCase, scalar, variable } from '../example.ts';
import { map, type Tensor64, zip } from '../tensor64.ts';
import { unary } from './element-wise.ts';

/** Two operands that are broadcast against each other, each from `lowest` to `highest` and away from `corners`. */
interface Operand {
  lowest?: number;
  highest?: number;
  corners?: readonly number[];
}

function binary(
  operator: string,
  combine: (first: number, second: number) => number,
  first: Operand = {},
  second: Operand = {},
): GradientCase {
  return {
    operator,
    example: (draw) => {
      const shapes = draw.broadcastShapes(2);
      return {
        inputs: [first, second].map(({ lowest, highest, corners }, index) =>
          variable(draw.values(shapes[index] ?? [], lowest, highest, corners)),
        ),
        forward: (...operands) => [zip(operands, (...[a = NaN, b = NaN]) => combine(a, b))],
      };
    },
  };
}

/** Of any number of operands. Their elements differ, so that the largest is one alone. */
function extreme(operator: string, choose: (...elements: number[]) => number): GradientCase {
  return {
    operator,
    example: (draw) => {
      const shapes = draw.broadcastShapes(draw.integer(1, 4));
      const all = draw.distinct([shapes.reduce((count, shape) => count + product(shape), 0)]);
      let start = 0;
      const operands = shapes.map((shape): Tensor64 => {
        const data = all.data.slice(start, (start += product(shape)));
        return { shape, data };
      });
      return { inputs: operands.map(variable), forward: (...values) => [zip(values, choose)] };
    },
  };
}

const positive = { lowest: 0.2 };

export const ARITHMETIC: readonly GradientCase[] = [
  binary('Add', (a, b) => a + b),
  binary('Sub', (a, b) => a - b),
  binary('Mul', (a, b) => a * b),
  binary('Div', (a, b) => a / b, {}, { lowest: 0.3 }),
  binary('Div', (a, b) => a / b, {}, { highest: -0.3 }),
  binary('Pow', Math.pow, positive),
  {
    operator: 'Pow',
    about: 'with a constant exponent',
    example: (draw) => {
      const exponent = draw.pick(0, 1, 2, 3, -1, -2);
      return {
        inputs: [variable(draw.values(draw.shape(0, 3), -2, 2, [0, -0.1, 0.1])), scalar(exponent)],
        forward: (base) => [map(base, (x) => x ** exponent)],
      };
    },
  },
  {
    operator: 'Pow',
    about: 'with a constant fraction as its exponent',
    example: (draw) => {
      const exponent = draw.pick(0.5, 1.5, -0.25);
      return {
        inputs: [variable(draw.values(draw.shape(0, 3), 0.2, 2)), scalar(exponent)],
        forward: (base) => [map(base, (x) => x ** exponent)],
      };
    },
  },
  {
    operator: 'Pow',
    about: 'of two types',
    example: (draw) => {
      const [first = [], second = []] = draw.broadcastShapes(2);
      return {
        inputs: [variable(draw.values(first, 0.2)), { values: draw.values(second), type: 'float64', role: 'variable' }],
        forward: (...operands) => [zip(operands, (...[x = NaN, y = NaN]) => x ** y)],
      };
    },
  },
  {
    operator: 'Pow',
    about: 'with whole exponents',
    example: (draw) => {
      const [first = [], second = []] = draw.broadcastShapes(2);
      return {
        inputs: [
          variable(draw.values(first, -2, 2, [0])),
          data(draw.integers(second, 0, 3), draw.pick('int64', 'int32')),
        ],
        forward: (...operands) => [zip(operands, (...[x = NaN, y = NaN]) => x ** y)],
      };
    },
  },
  {
    operator: 'Sum',
    example: (draw) => ({
      inputs: draw.broadcastShapes(draw.integer(1, 4)).map((shape) => variable(draw.values(shape))),
      forward: (...operands) => [zip(operands, (...elements) => elements.reduce((sum, element) => sum + element))],
    }),
  },
  extreme('Max', Math.max),
  extreme('Min', Math.min),
  unary('Neg', (x) => -x),
  unary('Exp', Math.exp),
  unary('Log', Math.log, { lowest: 0.2 }),
  unary('Sqrt', Math.sqrt, { lowest: 0.2 }),
  unary('Reciprocal', (x) => 1 / x, { corners: [0, 0.2, -0.2], lowest: 0.2 }),
  unary('Reciprocal', (x) => 1 / x, { highest: -0.2 }),
  unary('Abs', Math.abs, { corners: [0] }),
  unary('Erf', erf),
  unary('Identity', (x) => x),
];

/** 2/√π·Σ (−1)ⁿ·x²ⁿ⁺¹/(n!·(2n + 1)), to float64's precision for arguments up to 3. */
export function erf(x: number): number {
  let power = x;
  let total = x;
  for (let n = 1; n < 60; n++) {
    power *= -(x * x) / n;
    total += power / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

function product(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}
