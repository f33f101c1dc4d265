import { int } from '@atelier/onnx';
import type { Draw } from '../draw.ts';
import { data, type Example, type GradientCase, type Input, variable } from '../example.ts';
import { at, build, map, sum, type Tensor64, tensor64, zip } from '../tensor64.ts';

function logSoftmax(x: Tensor64, axis: number): Tensor64 {
  const total = map(sum(map(x, Math.exp), [axis]), Math.log);
  return zip([x, total], (...[each = NaN, all = NaN]) => each - all);
}

function alongAxis(operator: string, f: (x: Tensor64, axis: number) => Tensor64): GradientCase {
  return {
    operator,
    example: (draw) => {
      const shape = draw.shape(1, 3);
      const { axis, written } = draw.axis(shape.length);
      const isDefault = axis === shape.length - 1 && draw.boolean();
      return {
        attributes: isDefault ? {} : { axis: int(written) },
        inputs: [variable(draw.values(shape))],
        forward: (x) => [f(x, axis)],
      };
    },
  };
}

/** Labels of two dimensions or more; weights, ignored labels and reductions as they come. */
function crossEntropy(draw: Draw, outputs: NonNullable<Example['outputs']>): Example {
  const [batch, classes, places] = [draw.integer(1, 4), draw.integer(1, 4), draw.shape(0, 2, 3)];
  const reduction = draw.pick(undefined, 'mean', 'sum', 'none');
  const ignored = draw.pick(undefined, 0, -1, 255);
  const labels = draw.integers([batch, ...places], 0, classes - 1);
  if (ignored !== undefined)
    labels.data.forEach((_, index) => index > 0 && draw.boolean() && (labels.data[index] = ignored));
  if (ignored === 0) labels.data[0] = classes - 1; // a mean of nothing is no number
  const weights = draw.pick(null, draw.values([classes], 0.2, 2));
  const isMeanOfNothing = ignored === 0 && classes === 1;
  const inputs: Input[] = [
    variable(draw.values([batch, classes, ...places])),
    data(labels, draw.pick('int64', 'int32')),
    ...(weights === null ? [] : [data(weights)]),
  ];
  return {
    attributes: {
      ...(isMeanOfNothing ? { reduction: 'sum' } : reduction === undefined ? {} : { reduction }),
      ...(ignored === undefined ? {} : { ignore_index: int(ignored) }),
    },
    inputs,
    outputs,
    forward: (scores) => {
      const logProbabilities = logSoftmax(scores, 1);
      const weightOf = (label: number) => (label === ignored ? 0 : (weights?.data[label] ?? 1));
      const losses = build(labels.shape, (position) => {
        const label = at(labels, position);
        if (label === ignored) return 0;
        return -weightOf(label) * at(logProbabilities, [position[0] ?? 0, label, ...position.slice(1)]);
      });
      const total = losses.data.reduce((left, right) => left + right, 0);
      const weight = labels.data.reduce((left, label) => left + weightOf(label), 0);
      if (reduction === 'none' && !isMeanOfNothing) return [losses, logProbabilities];
      return [tensor64([], [reduction === 'sum' || isMeanOfNothing ? total : total / weight]), logProbabilities];
    },
  };
}

export const SOFTMAX: readonly GradientCase[] = [
  alongAxis('Softmax', (x, axis) => map(logSoftmax(x, axis), Math.exp)),
  alongAxis('LogSoftmax', logSoftmax),
  {
    operator: 'SoftmaxCrossEntropyLoss',
    example: (draw) => crossEntropy(draw, draw.pick(['differentiable'], ['differentiable', 'float32'])),
  },
  {
    operator: 'SoftmaxCrossEntropyLoss',
    about: 'whose logarithms of probabilities are used too',
    example: (draw) => crossEntropy(draw, ['differentiable', 'differentiable']),
  },
];
