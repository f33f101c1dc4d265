import { float } from '@atelier/onnx';
import { constant, data, type GradientCase, variable } from '../example.ts';
import { map, tensor64, zip } from '../tensor64.ts';
import { erf } from './arithmetic.ts';
import { unary, unaryWith } from './element-wise.ts';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export const ACTIVATIONS: readonly GradientCase[] = [
  unary('Relu', (x) => Math.max(x, 0), { corners: [0] }),
  unaryWith('LeakyRelu', (draw) => {
    const alpha = draw.pick(undefined, 0, draw.number(-0.5, 0.5), draw.number(1, 2));
    return {
      f: (x) => (x > 0 ? x : x * (alpha ?? Math.fround(0.01))),
      attributes: alpha === undefined ? {} : { alpha: float(alpha) },
      corners: [0],
    };
  }),
  {
    operator: 'PRelu',
    example: (draw) => {
      const shape = draw.shape(0, 3);
      return {
        inputs: [variable(draw.values(shape, -2, 2, [0])), variable(draw.values(draw.broadcastShape(shape), 0, 0.5))],
        forward: (...operands) => [zip(operands, (...[x = NaN, slope = NaN]) => (x > 0 ? x : x * slope))],
      };
    },
  },
  unaryWith('Elu', (draw) => {
    const alpha = draw.pick(undefined, draw.number(0.5, 2));
    return {
      f: (x) => (x > 0 ? x : (alpha ?? 1) * (Math.exp(x) - 1)),
      attributes: alpha === undefined ? {} : { alpha: float(alpha) },
      corners: [0],
    };
  }),
  unaryWith('Selu', (draw) => {
    const isDefault = draw.boolean();
    const alpha = isDefault ? 1.67326319217681884765625 : draw.number(0.5, 2);
    const gamma = isDefault ? 1.05070102214813232421875 : draw.number(0.5, 2);
    return {
      f: (x) => (x > 0 ? gamma * x : gamma * (alpha * Math.exp(x) - alpha)),
      attributes: isDefault ? {} : { alpha: float(alpha), gamma: float(gamma) },
      corners: [0],
    };
  }),
  unaryWith('Gelu', (draw) => ({
    f: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    attributes: draw.pick({}, { approximate: 'none' }),
    opsets: [20, 22],
  })),
  unaryWith('Gelu', () => ({
    f: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    attributes: { approximate: 'tanh' },
    opsets: [20, 22],
  })),
  unary('Tanh', Math.tanh),
  unary('Sigmoid', sigmoid),
  unaryWith('HardSigmoid', (draw) => {
    const isDefault = draw.boolean();
    const alpha = isDefault ? Math.fround(0.2) : draw.number(0.3, 1);
    const beta = isDefault ? 0.5 : draw.number(0.2, 0.8);
    return {
      f: (x) => Math.min(1, Math.max(0, alpha * x + beta)),
      attributes: isDefault ? {} : { alpha: float(alpha), beta: float(beta) },
      lowest: -4,
      highest: 4,
      corners: [-beta / alpha, (1 - beta) / alpha],
    };
  }),
  unary('Softplus', (x) => Math.log(1 + Math.exp(x))),
  unary('Softsign', (x) => x / (1 + Math.abs(x))),
  unaryWith('ThresholdedRelu', (draw) => {
    const alpha = draw.pick(undefined, draw.number(-1, 1));
    return {
      f: (x) => (x > (alpha ?? 1) ? x : 0),
      attributes: alpha === undefined ? {} : { alpha: float(alpha) },
      corners: [alpha ?? 1],
    };
  }),
  {
    operator: 'Clip',
    example: (draw) => {
      const bound = (number: number) => {
        const values = tensor64([], [number]);
        return draw.pick(constant(values), data(values), null);
      };
      const [low, high] = [bound(draw.number(-1, 0)), bound(draw.number(0.1, 1))];
      const lowest = low?.values.data[0] ?? -Infinity;
      const highest = high?.values.data[0] ?? Infinity;
      return {
        inputs: [variable(draw.values(draw.shape(0, 3), -2, 2, [lowest, highest])), low, high],
        forward: (x) => [map(x, (each) => Math.min(highest, Math.max(lowest, each)))],
      };
    },
  },
];
