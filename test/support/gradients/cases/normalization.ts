import { float, int } from '@atelier/onnx';
import type { Draw } from '../draw.ts';
import { constant, data, type GradientCase, scalar, variable } from '../example.ts';
import { elementCount, map, mean, reshaped, type Tensor64, zip } from '../tensor64.ts';

/** The numbers of a channel, so that they are broadcast against [batch, channels, ...]. */
function ofChannels(values: Tensor64, rank: number): Tensor64 {
  return reshaped(values, [...values.shape, ...new Array<number>(rank - 2).fill(1)]);
}

function centred(x: Tensor64, middle: Tensor64): Tensor64 {
  return zip([x, middle], (...[each = NaN, average = NaN]) => each - average);
}

function square(x: Tensor64): Tensor64 {
  return map(x, (each) => each * each);
}

function scaled(normalized: Tensor64, scale: Tensor64, bias: Tensor64 | undefined): Tensor64 {
  const operands = [normalized, scale, ...(bias === undefined ? [] : [bias])];
  return zip(operands, (...[each = NaN, factor = NaN, shift = 0]) => each * factor + shift);
}

/**
 * Undefined for the operator's own 1e-5. With a small epsilon the gradient of one or two numbers is the difference of
 * large terms that are almost equal: float32 has no four digits of it, whoever computes it.
 */
function drawEpsilon(draw: Draw, shape: readonly number[], axes: readonly number[]): number | undefined {
  const count = elementCount(axes.map((axis) => shape[axis] ?? 1));
  return count <= 2 ? Math.fround(0.1) : draw.pick(undefined, Math.fround(1e-3), Math.fround(0.1));
}

export const NORMALIZATION: readonly GradientCase[] = [
  {
    operator: 'BatchNormalization',
    about: 'in training mode',
    example: (draw) => {
      const shape = [draw.integer(1, 5), draw.integer(1, 3), ...draw.shape(0, 2, 3)];
      const axes = [...shape.keys()].filter((axis) => axis !== 1);
      const epsilon = drawEpsilon(draw, shape, axes);
      const momentum = draw.pick(undefined, Math.fround(0.99), 0);
      const channels = [shape[1] ?? 1];
      return {
        attributes: {
          training_mode: int(1),
          ...(epsilon === undefined ? {} : { epsilon: float(epsilon) }),
          ...(momentum === undefined ? {} : { momentum: float(momentum) }),
        },
        inputs: [
          variable(draw.values(shape)),
          variable(draw.values(channels)),
          variable(draw.values(channels)),
          data(draw.values(channels)),
          data(draw.values(channels, 0.5, 2)),
        ],
        outputs: ['differentiable', 'float32', 'float32'],
        forward: (x, gamma, beta, runningMean, runningVariance) => {
          const average = mean(x, axes);
          const variance = mean(square(centred(x, average)), axes);
          const normalized = zip(
            [centred(x, average), variance],
            (...[each = NaN, spread = NaN]) => each / Math.sqrt(spread + (epsilon ?? Math.fround(1e-5))),
          );
          const moved = (running: Tensor64, batch: Tensor64) =>
            zip([running, reshaped(batch, channels)], (...[before = NaN, now = NaN]) => {
              const share = momentum ?? Math.fround(0.9);
              return before * share + now * (1 - share);
            });
          return [
            scaled(normalized, ofChannels(gamma, shape.length), ofChannels(beta, shape.length)),
            moved(runningMean, average),
            moved(runningVariance, variance),
          ];
        },
      };
    },
  },
  {
    operator: 'BatchNormalization',
    about: 'with running statistics',
    example: (draw) => {
      const shape = [draw.integer(1, 3), draw.integer(1, 3), ...draw.shape(0, 2, 3)];
      const epsilon = draw.pick(undefined, Math.fround(0.1));
      const channels = [shape[1] ?? 1];
      const statistic = draw.pick(data, constant);
      return {
        attributes: epsilon === undefined ? {} : { epsilon: float(epsilon) },
        inputs: [
          variable(draw.values(shape)),
          variable(draw.values(channels)),
          variable(draw.values(channels)),
          statistic(draw.values(channels)),
          statistic(draw.values(channels, 0.5, 2)),
        ],
        forward: (...operands) => {
          const [x, gamma, beta, average, variance] = operands.map((operand, index) =>
            index === 0 ? operand : ofChannels(operand, shape.length),
          ) as [Tensor64, Tensor64, Tensor64, Tensor64, Tensor64];
          const normalized = zip(
            [centred(x, average), variance],
            (...[each = NaN, spread = NaN]) => each / Math.sqrt(spread + (epsilon ?? Math.fround(1e-5))),
          );
          return [scaled(normalized, gamma, beta)];
        },
      };
    },
  },
  {
    operator: 'LayerNormalization',
    example: (draw) => {
      const shape = draw.shape(1, 3);
      const { axis, written } = draw.axis(shape.length);
      const axes = [...shape.keys()].slice(axis);
      const epsilon = drawEpsilon(draw, shape, axes);
      const isDefault = axis === shape.length - 1 && draw.boolean();
      const hasBias = draw.boolean();
      return {
        attributes: {
          ...(isDefault ? {} : { axis: int(written) }),
          ...(epsilon === undefined ? {} : { epsilon: float(epsilon) }),
        },
        inputs: [
          variable(draw.values(shape)),
          variable(draw.values(shape.slice(axis))),
          ...(hasBias ? [variable(draw.values(shape.slice(axis)))] : []),
        ],
        outputs: draw.pick(
          ['differentiable'],
          ['differentiable', 'float32', 'float32'],
          ['differentiable', null, 'float32'],
        ),
        opsets: [17, 22],
        forward: (x, gamma, beta) => {
          const average = mean(x, axes);
          const variance = mean(square(centred(x, average)), axes);
          const inverse = map(variance, (spread) => 1 / Math.sqrt(spread + (epsilon ?? Math.fround(1e-5))));
          const normalized = zip([centred(x, average), inverse], (...[each = NaN, factor = NaN]) => each * factor);
          return [scaled(normalized, gamma, beta), average, inverse];
        },
      };
    },
  },
  {
    operator: 'Dropout',
    about: 'in training mode',
    example: (draw) => {
      const rate = draw.pick(undefined, 0, 0.25, draw.number(0, 0.9));
      const isTraining = draw.pick(true, true, false);
      return {
        attributes: { seed: int(draw.integer(1, 1000)) }, // the same mask in both graphs
        inputs: [
          variable(draw.values(draw.shape(1, 3))),
          rate === undefined ? null : scalar(rate),
          scalar(isTraining ? 1 : 0, 'bool'),
        ],
        outputs: ['differentiable', 'bool'],
        random: 1,
        forward: (x, ...rest) => {
          const mask = rest.at(-1) ?? x;
          const factor = isTraining ? 1 / (1 - (rate ?? 0.5)) : 1;
          return [zip([x, mask], (...[each = NaN, kept = NaN]) => each * kept * factor), mask];
        },
      };
    },
  },
  {
    operator: 'Dropout',
    about: 'at inference',
    example: (draw) => ({
      inputs: [variable(draw.values(draw.shape(0, 3))), ...draw.pick([], [scalar(0.3)])],
      forward: (x) => [x],
    }),
  },
];
