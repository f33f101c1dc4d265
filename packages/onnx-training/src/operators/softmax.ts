import { int } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import { product, range, shown } from '../shapes.ts';
import { valueLikeFirst } from './inference.ts';
import type { Operator } from './operator.ts';

/** Softmax and cross-entropy. */
export const SOFTMAX = {
  Softmax: {
    infer: valueLikeFirst,
    gradient: (node) => [
      node.ifWanted(0, () => {
        const { graph, gradient } = node;
        const weighted = graph.times(gradient, node.output(0));
        return graph.minus(weighted, graph.times(node.output(0), graph.sum(weighted, [softmaxAxis(node)], true)));
      }),
    ],
  },
  LogSoftmax: {
    infer: valueLikeFirst,
    gradient: (node) => [
      node.ifWanted(0, () => {
        const { graph, gradient } = node;
        const probabilities = graph.add('Exp', [node.output(0)]);
        return graph.minus(gradient, graph.times(probabilities, graph.sum(gradient, [softmaxAxis(node)], true)));
      }),
    ],
  },
  SoftmaxCrossEntropyLoss: {
    limits: 'by the scores, not by the weights of the classes',
    infer: (node) => {
      const [scores, labels] = [node.shapeOf(0), node.shapeOf(1)];
      const expected = scores.filter((_, axis) => axis !== 1);
      if (scores.length < 2 || labels.join() !== expected.join()) {
        throw node.malformed(`its scores have shape ${shown(scores)} and its labels ${shown(labels)}.`);
      }
      const type = node.elementType(0);
      return [
        { type, shape: node.string('reduction', 'mean') === 'none' ? labels : [] },
        { type, shape: scores },
      ];
    },
    gradient: (node) => [node.ifWanted(0, () => crossEntropyGradient(node))],
  },
} satisfies Record<string, Operator>;

function softmaxAxis(node: DifferentiatedNode): number {
  return node.axisAttribute(-1, node.shapeOf(0).length);
}

/** What flows through the loss, and what flows through the logarithms of the probabilities, its second output. */
function crossEntropyGradient(node: DifferentiatedNode): string {
  const { graph } = node;
  const [byLoss, byLogarithms] = [node.flowTo(0), node.flowTo(1)];
  const probabilities = graph.add('Exp', [node.requireOutput(1)]);
  const parts: string[] = [];
  if (byLoss !== undefined) parts.push(lossGradient(node, byLoss, probabilities));
  if (byLogarithms !== undefined) {
    parts.push(graph.minus(byLogarithms, graph.times(probabilities, graph.sum(byLogarithms, [1], true))));
  }
  return parts.reduce((first, second) => graph.plus(first, second));
}

/** (softmax − one-hot)·weight of the example, divided by the sum of all weights when the reduction is the mean. */
function lossGradient(node: DifferentiatedNode, gradient: string, probabilities: string): string {
  const { graph } = node;
  const labels = graph.cast(node.input(1), 'int64');
  const ends = graph.vector([0, 1], probabilities);
  const oneHot = graph.add('OneHot', [labels, graph.ints([node.shapeOf(0)[1] ?? 0]), ends], { axis: int(1) });
  const weight = exampleWeight(node, labels);
  let scale = gradient; // a scalar, or of the labels' shape without reduction
  if (node.string('reduction', 'mean') === 'mean') {
    const axes = range(node.shapeOf(1).length);
    scale = graph.over(scale, weight === undefined ? product(node.shapeOf(1)) : graph.sum(weight, axes, false));
  }
  if (weight !== undefined) scale = graph.times(scale, weight);
  const perClass = graph.shapeOf(scale).length === 0 ? scale : graph.add('Unsqueeze', [scale, graph.ints([1])]);
  return graph.times(graph.minus(probabilities, oneHot), perClass);
}

/** Each example's weight: that of its class, and 0 for `ignore_index`; undefined when all are 1. */
function exampleWeight(node: DifferentiatedNode, labels: string): string | undefined {
  const { graph } = node;
  const ignored = node.node.attributes['ignore_index'] === undefined ? undefined : node.int('ignore_index', 0);
  if (ignored === undefined) return node.hasInput(2) ? graph.add('Gather', [node.input(2), labels]) : undefined;
  const isIgnored = graph.add('Equal', [labels, graph.scalar(ignored, labels)]);
  const counts = graph.cast(graph.add('Not', [isIgnored]), node.elementType(0));
  if (!node.hasInput(2)) return counts;
  const classes = graph.add('Where', [isIgnored, graph.scalar(0, labels), labels]);
  return graph.times(counts, graph.add('Gather', [node.input(2), classes]));
}
