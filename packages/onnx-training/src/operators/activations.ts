import { float } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import { unary } from './arithmetic.ts';
import { valueLikeFirst } from './inference.ts';
import type { Operator } from './operator.ts';

/** Of Selu (arXiv 1706.02515) in the ONNX specification, as float32. */
const SELU_ALPHA = 1.6732632423543772;
const SELU_GAMMA = 1.0507009873554805;

/** 2¹²⁷, times which every normal number above 2⁻¹²⁶ is above 1. */
const LARGEST_FLOAT = 2 ** 127;

/** Activations. Where one has a corner, the derivative at it is 0, as in TensorFlow and PyTorch. */
export const ACTIVATIONS = {
  // By the result rather than the input, so that a runtime may fuse Relu with what gives its input. HardSigmoid with a
  // slope beyond all measure is the step from 0 to 1, at a quarter of what Sign costs in onnxruntime.
  Relu: unary(({ graph }, gradient, _input, output) =>
    graph.times(gradient, graph.add('HardSigmoid', [output], { alpha: float(LARGEST_FLOAT), beta: float(0) })),
  ),
  LeakyRelu: unary((node, gradient, input) => {
    const slope = node.float('alpha', 0.01);
    const factor = whereAboveZero(node, input, node.graph.scalar(1, input), node.graph.scalar(slope, input));
    return node.graph.times(gradient, factor);
  }),
  Elu: unary((node, gradient, input, output) => {
    const alpha = node.float('alpha', 1);
    const factor = whereAboveZero(node, input, node.graph.scalar(1, input), node.graph.plus(output, alpha));
    return node.graph.times(gradient, factor);
  }),
  Selu: unary((node, gradient, input, output) => {
    const alpha = node.float('alpha', SELU_ALPHA);
    const gamma = node.float('gamma', SELU_GAMMA);
    const below = node.graph.plus(output, alpha * gamma);
    return node.graph.times(gradient, whereAboveZero(node, input, node.graph.scalar(gamma, input), below));
  }),
  Gelu: unary((node, gradient, input) => {
    const approximate = node.string('approximate', 'none');
    if (approximate === 'none') return node.graph.times(gradient, exactGeluSlope(node, input));
    if (approximate === 'tanh') return node.graph.times(gradient, tanhGeluSlope(node, input));
    throw node.malformed(`approximate is "${approximate}"; expected none or tanh.`);
  }),
  Tanh: unary(({ graph }, gradient, _input, output) =>
    graph.times(gradient, graph.minus(1, graph.times(output, output))),
  ),
  Sigmoid: unary(({ graph }, gradient, _input, output) =>
    graph.times(gradient, graph.times(output, graph.minus(1, output))),
  ),
  Softplus: unary(({ graph }, gradient, input) => graph.times(gradient, graph.add('Sigmoid', [input]))),
  Clip: {
    infer: valueLikeFirst,
    gradient: (node) => {
      if (node.wants(1) || node.wants(2)) throw node.unsupported('the gradient of a bound; supported: of the value.');
      return [node.ifWanted(0, () => clipGradient(node))];
    },
  },
  HardSigmoid: { infer: valueLikeFirst },
} satisfies Record<string, Operator>;

function whereAboveZero({ graph }: DifferentiatedNode, input: string, above: string, below: string): string {
  return graph.add('Where', [graph.add('Greater', [input, graph.scalar(0, input)]), above, below]);
}

/** Φ(x) + x·φ(x), of x·Φ(x) (arXiv 1606.08415). */
function exactGeluSlope({ graph }: DifferentiatedNode, input: string): string {
  const distribution = graph.times(graph.plus(graph.add('Erf', [graph.times(input, Math.SQRT1_2)]), 1), 0.5);
  const density = graph.times(
    graph.add('Exp', [graph.times(graph.times(input, input), -0.5)]),
    1 / Math.sqrt(2 * Math.PI),
  );
  return graph.plus(distribution, graph.times(input, density));
}

/** Of x·(1 + tanh u)/2 with u = √(2/π)·(x + 0.044715·x³). */
function tanhGeluSlope({ graph }: DifferentiatedNode, input: string): string {
  const root = Math.sqrt(2 / Math.PI);
  const cubic = 0.044715;
  const square = graph.times(input, input);
  const inner = graph.times(graph.times(input, graph.plus(graph.times(square, cubic), 1)), root);
  const bent = graph.add('Tanh', [inner]);
  const innerSlope = graph.times(graph.plus(graph.times(square, 3 * cubic), 1), root);
  const rise = graph.times(graph.times(graph.minus(1, graph.times(bent, bent)), innerSlope), graph.times(input, 0.5));
  return graph.plus(graph.times(graph.plus(bent, 1), 0.5), rise);
}

/** The gradient where the value was within the bounds, both included; 0 elsewhere. */
function clipGradient(node: DifferentiatedNode): string {
  const { graph } = node;
  let gradient = node.gradient;
  for (const [index, comparison] of [
    [1, 'GreaterOrEqual'],
    [2, 'LessOrEqual'],
  ] as const) {
    if (!node.hasInput(index)) continue;
    const isWithin = graph.add(comparison, [node.input(0), node.input(index)]);
    gradient = graph.times(gradient, graph.cast(isWithin, node.elementType(0)));
  }
  return gradient;
}
