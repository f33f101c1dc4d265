import { node as onnxNode } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { product, range, type TensorType } from '../shapes.ts';
import { whereOnly } from './arithmetic.ts';
import type { Operator } from './operator.ts';

/** Operators that act by examples' statistics, and Dropout. */
export const NORMALIZATION = {
  BatchNormalization: {
    infer: (node) => {
      const statistics = [node.typeOf(3), node.typeOf(4)];
      const isTraining = node.int('training_mode', 0) !== 0;
      if (!isTraining && (node.hasOutput(1) || node.hasOutput(2))) {
        throw node.malformed('it gives running statistics without training_mode; expected training_mode 1.');
      }
      return [node.typeOf(0), ...(isTraining ? statistics : [])];
    },
    expand: expandBatchNormalization,
    limits: 'in training mode or not; neither by nor through the running statistics',
    gradient: batchNormalizationGradient,
  },
  LayerNormalization: {
    infer: (node) => {
      const shape = node.shapeOf(0);
      const axis = node.axisAttribute(-1, shape.length);
      const statistics: TensorType = {
        type: node.elementType(0),
        shape: shape.map((size, at) => (at < axis ? size : 1)),
      };
      return [node.typeOf(0), statistics, statistics];
    },
    gradient: layerNormalizationGradient,
    limits: 'from opset 17 on; not through the mean and the deviation',
  },
  Dropout: {
    limits: 'the rate and the training mode are constants',
    infer: (node) => [node.typeOf(0), { type: 'bool', shape: node.shapeOf(0) }],
    gradient: (node) => [
      node.ifWanted(0, () => {
        const { graph, gradient } = node;
        const rate = node.constantNumber(1) ?? 0.5;
        if (!isTraining(node) || rate === 0) return gradient;
        return whereOnly(node, node.requireOutput(1), graph.times(gradient, 1 / (1 - rate)));
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
 * keeps neither the centred values nor the deviation that its gradient needs. Running statistics become
 * running·momentum + batch·(1 − momentum), of the biased variance as the ONNX specification has it.
 */
function expandBatchNormalization(node: NodeView): Record<string, string> {
  const { graph } = node;
  const [input, scale, bias] = [node.input(0), node.input(1), node.input(2)];
  const isTrained = node.int('training_mode', 0) !== 0;
  const axes = batchAxes(node);
  const mean = isTrained ? moved(node, 1, graph.mean(input, axes)) : node.input(3);
  const centred = graph.minus(input, acrossChannels(node, mean));
  const variance = isTrained ? moved(node, 2, graph.mean(graph.times(centred, centred), axes)) : node.input(4);
  const positive = graph.plus(variance, node.float('epsilon', 1e-5));
  const deviation = graph.add('Sqrt', [positive]);
  const factor = acrossChannels(node, graph.over(scale, deviation));
  graph.addNode(onnxNode('Add', [graph.times(centred, factor), acrossChannels(node, bias)], node.output(0)));
  return { centred, positive, deviation, factor };
}

/** Gives the running statistic that is output `index`, where the node gives one; what the batch's is called from then on. */
function moved(node: NodeView, index: 1 | 2, statistic: string): string {
  if (!node.hasOutput(index)) return statistic;
  const { graph } = node;
  const momentum = node.float('momentum', 0.9);
  if (momentum === 0) {
    graph.rename(statistic, node.output(index));
    return node.output(index);
  }
  const before = graph.times(node.input(index + 2), momentum);
  graph.addNode(onnxNode('Add', [before, graph.times(statistic, 1 - momentum)], node.output(index)));
  return statistic;
}

/**
 * The derivatives below algorithm 1 of arXiv 1502.03167, collected. With c the centred input and σ² the variance plus
 * epsilon: γ/σ·(g − mean(g) − c·mean(g·c)/σ²).
 */
function batchNormalizationGradient(node: DifferentiatedNode): (string | undefined)[] {
  const { graph, gradient } = node;
  const centred = node.kept('centred');
  const axes = batchAxes(node);
  const count = product(axes.map((axis) => node.shapeOf(0)[axis] ?? 1));
  const byBias = graph.sum(gradient, axes, false);
  const agreement = graph.sum(graph.times(gradient, centred), axes, false);
  return [
    node.ifWanted(0, () => {
      if (node.int('training_mode', 0) === 0) return graph.times(gradient, node.kept('factor'));
      const shift = acrossChannels(node, graph.times(byBias, 1 / count));
      const slope = acrossChannels(node, graph.over(agreement, graph.times(node.kept('positive'), count)));
      const flat = graph.minus(graph.minus(gradient, shift), graph.times(centred, slope));
      return graph.times(flat, node.kept('factor'));
    }),
    node.ifWanted(1, () => graph.over(agreement, node.kept('deviation'))),
    node.ifWanted(2, () => byBias),
  ];
}

/** As for batch normalisation, over the last axes of each example (arXiv 1607.06450). */
function layerNormalizationGradient(node: DifferentiatedNode): (string | undefined)[] {
  const { graph, gradient } = node;
  const shape = node.shapeOf(0);
  const axis = node.axisAttribute(-1, shape.length);
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
