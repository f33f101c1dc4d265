import { node as onnxNode } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { product, range, type TensorType } from '../shapes.ts';
import type { Operator } from './operator.ts';

/** Operators that act by examples' statistics, and Dropout. */
export const NORMALIZATION = {
  BatchNormalization: {
    infer: (node) => {
      const statistics = [node.typeOf(3), node.typeOf(4)];
      const isTraining = node.int('training_mode', 0) !== 0;
      if (!isTraining && node.outputCount > 1) {
        throw node.malformed('it gives running statistics without training_mode; expected training_mode 1.');
      }
      return [node.typeOf(0), ...(isTraining ? statistics : [])];
    },
    expand: expandBatchNormalization,
    gradient: batchNormalizationGradient,
  },
  LayerNormalization: {
    infer: (node) => {
      const shape = node.shapeOf(0);
      const axis = node.axis(node.int('axis', -1), shape.length);
      const statistics: TensorType = {
        type: node.elementType(0),
        shape: shape.map((size, at) => (at < axis ? size : 1)),
      };
      return [node.typeOf(0), statistics, statistics];
    },
    gradient: layerNormalizationGradient,
  },
  Dropout: {
    infer: (node) => [node.typeOf(0), { type: 'bool', shape: node.shapeOf(0) }],
    gradient: (node) => [
      node.ifWanted(0, () => {
        const { graph, gradient } = node;
        const rate = node.constantNumber(1) ?? 0.5;
        if (!isTraining(node) || rate === 0) return gradient;
        const mask = graph.cast(node.requireOutput(1), node.elementType(0));
        return graph.times(gradient, graph.times(mask, 1 / (1 - rate)));
      }),
    ],
  },
} satisfies Record<string, Operator>;

/** Dropout drops only when its third input is true. */
function isTraining(node: NodeView): boolean {
  return (node.constant(2)?.data[0] ?? 0) !== 0;
}

/** Every axis but that of the channels. */
function batchAxes(node: NodeView): number[] {
  return range(node.shapeOf(0).length).filter((axis) => axis !== 1);
}

/** [channels] so that it broadcasts against [batch, channels, ...]. */
function acrossChannels(node: NodeView, name: string): string {
  const spatial = node.shapeOf(0).length - 2;
  return node.graph.reshape(name, [...node.graph.shapeOf(name), ...new Array<number>(spatial).fill(1)]);
}

/**
 * Batch normalisation in training mode out of simpler operators (arXiv 1502.03167, algorithm 1), because the operator
 * keeps neither the normalised values nor the deviation that its gradient needs. Running statistics become
 * running·momentum + batch·(1 − momentum), of the biased variance as the ONNX specification has it.
 */
function expandBatchNormalization(node: NodeView): Record<string, string> {
  const { graph } = node;
  const [input, scale, bias] = [node.input(0), node.input(1), node.input(2)];
  const isTrained = node.int('training_mode', 0) !== 0;
  const momentum = node.float('momentum', 0.9);
  const count = product(batchAxes(node).map((axis) => node.shapeOf(0)[axis] ?? 1));
  const mean = isTrained ? graph.times(graph.sum(input, batchAxes(node), false), 1 / count) : node.input(3);
  const centred = graph.minus(input, acrossChannels(node, mean));
  const variance = isTrained
    ? graph.times(graph.sum(graph.times(centred, centred), batchAxes(node), false), 1 / count)
    : node.input(4);
  const deviation = graph.add('Sqrt', [graph.plus(variance, node.float('epsilon', 1e-5))]);
  const inverse = graph.over(1, deviation);
  const normalized = graph.times(centred, acrossChannels(node, inverse));
  const scaled = graph.times(normalized, acrossChannels(node, scale));
  graph.addNode(onnxNode('Add', [scaled, acrossChannels(node, bias)], node.output(0)));
  for (const [index, statistic] of [
    [1, mean],
    [2, variance],
  ] as const) {
    if (!node.hasOutput(index)) continue;
    const [running, batch] = [
      graph.times(node.input(index + 2), momentum),
      graph.times(statistic, 1 - Math.fround(momentum)),
    ];
    graph.addNode(onnxNode('Add', [running, batch], node.output(index)));
  }
  return { normalized, inverse };
}

/** The derivatives below algorithm 1 of arXiv 1502.03167, collected: inverse·γ·(g − mean(g) − x̂·mean(g·x̂)). */
function batchNormalizationGradient(node: DifferentiatedNode): (string | undefined)[] {
  const { graph, gradient } = node;
  if (node.wants(3) || node.wants(4)) {
    throw node.unsupported('the gradient of a running statistic; supported: of the input, the scale and the bias.');
  }
  const [normalized, inverse] = [node.kept('normalized'), node.kept('inverse')];
  const axes = batchAxes(node);
  const count = product(axes.map((axis) => node.shapeOf(0)[axis] ?? 1));
  const byScale = graph.sum(graph.times(gradient, normalized), axes, false);
  const byBias = graph.sum(gradient, axes, false);
  return [
    node.ifWanted(0, () => {
      const factor = acrossChannels(node, graph.times(inverse, node.input(1)));
      if (node.int('training_mode', 0) === 0) return graph.times(gradient, factor);
      const shift = graph.times(byBias, 1 / count);
      const slope = graph.times(byScale, 1 / count);
      const centred = graph.minus(gradient, acrossChannels(node, shift));
      return graph.times(graph.minus(centred, graph.times(normalized, acrossChannels(node, slope))), factor);
    }),
    node.ifWanted(1, () => byScale),
    node.ifWanted(2, () => byBias),
  ];
}

/** As for batch normalisation, over the last axes of each example (arXiv 1607.06450). */
function layerNormalizationGradient(node: DifferentiatedNode): (string | undefined)[] {
  const { graph, gradient } = node;
  const shape = node.shapeOf(0);
  const axis = node.axis(node.int('axis', -1), shape.length);
  const axes = range(shape.length).slice(axis);
  const count = product(shape.slice(axis));
  const [mean, inverse] = [node.requireOutput(1), node.requireOutput(2)];
  const normalized = graph.times(graph.minus(node.input(0), mean), inverse);
  return [
    node.ifWanted(0, () => {
      const scaled = graph.times(gradient, node.input(1));
      const shift = graph.times(graph.sum(scaled, axes, true), 1 / count);
      const slope = graph.times(graph.sum(graph.times(scaled, normalized), axes, true), 1 / count);
      const centred = graph.minus(scaled, shift);
      return graph.times(graph.minus(centred, graph.times(normalized, slope)), inverse);
    }),
    node.ifWanted(1, () => graph.sumTo(graph.times(gradient, normalized), node.shapeOf(1))),
    node.ifWanted(2, () => graph.sumTo(gradient, node.shapeOf(2))),
  ];
}
