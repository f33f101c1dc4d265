import { int } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import { shown, valueLikeFirst } from './inference.ts';
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
  return node.axis(node.int('axis', -1), node.shapeOf(0).length);
}

/** (softmax − one-hot)·weight of the example, divided by the sum of all weights when the reduction is the mean. */
function crossEntropyGradient(node: DifferentiatedNode): string {
  const { graph } = node;
  const scores = node.shapeOf(0);
  const labels = node.input(1);
  const probabilities = graph.add('Exp', [node.requireOutput(1)]);
  const ends = graph.vector([0, 1], probabilities);
  const classes = graph.ints([scores[1] ?? 0]);
  const oneHot = graph.add('OneHot', [labels, classes, ends], { axis: int(1) });
  const weight = exampleWeight(node, labels);
  const reduction = node.string('reduction', 'mean');
  let scale = node.gradient; // a scalar, or [examples] without reduction
  if (reduction === 'mean') {
    const total = weight === undefined ? labelCount(node) : graph.sum(weight, [...node.shapeOf(1).keys()], false);
    scale = graph.over(scale, total);
  }
  if (weight !== undefined) scale = graph.times(scale, weight);
  const perClass = graph.shapeOf(scale).length === 0 ? scale : graph.add('Unsqueeze', [scale, graph.ints([1])]);
  return graph.times(graph.minus(probabilities, oneHot), perClass);
}

/** Each example's weight: that of its class, and 0 for `ignore_index`; undefined when all are 1. */
function exampleWeight(node: DifferentiatedNode, labels: string): string | undefined {
  const { graph } = node;
  const type = node.elementType(0);
  const ignored = node.node.attributes['ignore_index'] === undefined ? undefined : node.int('ignore_index', 0);
  if (ignored === undefined) return node.hasInput(2) ? graph.add('Gather', [node.input(2), labels]) : undefined;
  const isIgnored = graph.add('Equal', [labels, graph.scalar(ignored, labels)]);
  const counts = graph.cast(graph.add('Not', [isIgnored]), type);
  if (!node.hasInput(2)) return counts;
  const classes = graph.add('Where', [isIgnored, graph.scalar(0, labels), labels]);
  return graph.times(counts, graph.add('Gather', [node.input(2), classes]));
}

function labelCount(node: DifferentiatedNode): number {
  return node.shapeOf(1).reduce((count, size) => count * size, 1);
}
