import { float } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import { unary, whereOnly } from './arithmetic.ts';
import { valueLikeFirst } from './inference.ts';
import type { Operator } from './operator.ts';

/** Selu's defaults as the ONNX specification writes them: those of arXiv 1706.02515, rounded to float32. */
const SELU_ALPHA = 1.67326319217681884765625;
const SELU_GAMMA = 1.05070102214813232421875;

/**
 * Activations. Where one has a corner, the derivative at it is that below it, as in TensorFlow and PyTorch. Where nothing
 * flows, zeros are chosen, except by Relu: a product with 0 makes NaN of an infinite gradient.
 */
export const ACTIVATIONS = {
  Relu: {
    ...unary(reluGradient),
    limits: 'in float32, an infinite gradient gives NaN where the result is 0, for speed',
  },
  LeakyRelu: unary((node, gradient, input) => {
    const { graph } = node;
    const alpha = node.float('alpha', 0.01);
    const below = alpha === 0 ? graph.scalar(0, gradient) : graph.times(gradient, alpha);
    return whereAboveZero(node, input, gradient, below);
  }),
  PRelu: {
    infer: valueLikeFirst,
    gradient: (node) => {
      const { graph, gradient } = node;
      const [input, slope] = [node.input(0), node.input(1)];
      return [
        node.ifWanted(0, () => graph.times(gradient, whereAboveZero(node, input, graph.scalar(1, input), slope))),
        node.ifWanted(1, () => {
          const below = graph.add('Min', [input, graph.scalar(0, input)]);
          return graph.sumTo(graph.times(gradient, below), node.shapeOf(1));
        }),
      ];
    },
  },
  ThresholdedRelu: unary((node, gradient, input) => {
    const { graph } = node;
    const isAbove = graph.add('Greater', [input, graph.scalar(node.float('alpha', 1), input)]);
    return whereOnly(node, isAbove, gradient);
  }),
  Elu: unary((node, gradient, input, output) => {
    const { graph } = node;
    const alpha = node.float('alpha', 1);
    // Where the result is above 0, min(y, 0) + 1 is 1: one pass less than a choice.
    if (alpha === 1) return graph.times(gradient, graph.plus(graph.add('Min', [output, graph.scalar(0, output)]), 1));
    return graph.times(gradient, whereAboveZero(node, input, graph.scalar(1, input), graph.plus(output, alpha)));
  }),
  Selu: unary((node, gradient, input, output) => {
    const alpha = node.float('alpha', SELU_ALPHA);
    const gamma = node.float('gamma', SELU_GAMMA);
    const below = node.graph.plus(output, alpha * gamma);
    return node.graph.times(gradient, whereAboveZero(node, input, node.graph.scalar(gamma, input), below));
  }),
  Gelu: {
    ...unary((node, gradient, input) => {
      const approximate = node.string('approximate', 'none');
      if (approximate === 'none') return node.graph.times(gradient, exactGeluSlope(node, input));
      if (approximate === 'tanh') return node.graph.times(gradient, tanhGeluSlope(node, input));
      throw node.malformed(`approximate is "${approximate}"; expected none or tanh.`);
    }),
    limits: 'from opset 20 on; both forms',
  },
  Tanh: unary(({ graph }, gradient, _input, output) =>
    graph.times(gradient, graph.minus(1, graph.times(output, output))),
  ),
  Sigmoid: unary(({ graph }, gradient, _input, output) =>
    graph.times(gradient, graph.times(output, graph.minus(1, output))),
  ),
  HardSigmoid: unary((node, gradient, _input, output) => {
    const { graph } = node;
    const isAbove = graph.add('Greater', [output, graph.scalar(0, output)]);
    const isBetween = graph.add('And', [isAbove, graph.add('Less', [output, graph.scalar(1, output)])]);
    return whereOnly(node, isBetween, graph.times(gradient, node.float('alpha', 0.2)));
  }),
  Softplus: unary(({ graph }, gradient, input) => graph.times(gradient, graph.add('Sigmoid', [input]))),
  // 1/(1 + |x|)², and 1 − |y| is 1/(1 + |x|).
  Softsign: unary(({ graph }, gradient, _input, output) => {
    const rest = graph.minus(1, graph.add('Abs', [output]));
    return graph.times(gradient, graph.times(rest, rest));
  }),
  Clip: {
    infer: valueLikeFirst,
    limits: 'not by its bounds',
    // To the values that were within the bounds, which Clip has left as they are.
    gradient: (node) => [
      node.ifWanted(0, () => {
        const isWithin = node.graph.add('Equal', [node.input(0), node.output(0)]);
        return whereOnly(node, isWithin, node.gradient);
      }),
    ],
  },
} satisfies Record<string, Operator>;

/** 2¹²⁷, times which every normal number above 2⁻¹²⁶ is above 1. */
const LARGEST_FLOAT = 2 ** 127;

/**
 * By the result rather than the input, so that a runtime may fuse Relu with what gives its input. In float32 times 1 or 0,
 * from a HardSigmoid with a slope beyond all measure: a perceptron has a Relu in each layer, and onnxruntime takes twice
 * as long for a choice. It has no HardSigmoid of float64.
 */
function reluGradient(node: DifferentiatedNode, gradient: string, _input: string, output: string): string {
  const { graph } = node;
  if (node.elementType(0) !== 'float32') return whereOnly(node, graph.cast(output, 'bool'), gradient);
  const isAbove = graph.add('HardSigmoid', [output], { alpha: float(LARGEST_FLOAT), beta: float(0) });
  return graph.times(gradient, isAbove);
}

function whereAboveZero({ graph }: DifferentiatedNode, input: string, above: string, below: string): string {
  return graph.add('Where', [graph.add('Greater', [input, graph.scalar(0, input)]), above, below]);
}

/** Φ(x) + x·φ(x), of x·Φ(x) (arXiv 1606.08415): with u = x/√2, (erf u + 1)/2 + u·exp(−u²)/√π. */
function exactGeluSlope({ graph }: DifferentiatedNode, input: string): string {
  const u = graph.times(input, Math.SQRT1_2);
  const distribution = graph.plus(graph.times(graph.add('Erf', [u]), 0.5), 0.5);
  const density = graph.add('Exp', [graph.minus(-Math.log(Math.PI) / 2, graph.times(u, u))]);
  return graph.plus(distribution, graph.times(u, density));
}

/** Of x·(1 + tanh u)/2 with u = √(2/π)·(x + 0.044715·x³): (1 + tanh u)·(1 + x·(1 − tanh u)·u′)/2. */
function tanhGeluSlope({ graph }: DifferentiatedNode, input: string): string {
  const root = Math.sqrt(2 / Math.PI);
  const cubic = 0.044715;
  const square = graph.times(input, input);
  const bent = graph.add('Tanh', [graph.times(input, graph.plus(graph.times(square, root * cubic), root))]);
  const innerSlope = graph.plus(graph.times(square, 3 * root * cubic), root);
  const rise = graph.times(graph.times(input, graph.minus(1, bent)), innerSlope);
  return graph.times(graph.times(graph.plus(bent, 1), 0.5), graph.plus(rise, 1));
}
