import { int } from '@atelier/onnx';
import type { GraphBuilder } from './graph-builder.ts';

/**
 * The mean over a batch of the cross-entropy between target distributions and the softmax of logits, in nats, a scalar.
 * `logits` and `targets` are [batch, classes] of one floating-point type; each row of targets sums to 1.
 */
export function softCrossEntropy(graph: GraphBuilder, logits: string, targets: string): string {
  const [batch = 1] = graph.shapeOf(logits);
  const logProbabilities = graph.add('LogSoftmax', [logits], { axis: int(-1) });
  const agreement = graph.sum(graph.times(targets, logProbabilities), [0, 1], false);
  return graph.times(agreement, -1 / batch);
}

/** The same of class indices, int64 [batch], optionally smoothed: see `smoothedTargets`. */
export function crossEntropy(graph: GraphBuilder, logits: string, labels: string, labelSmoothing = 0): string {
  if (labelSmoothing === 0) return graph.add('SoftmaxCrossEntropyLoss', [logits, labels]);
  return softCrossEntropy(graph, logits, smoothedTargets(graph, logits, labels, labelSmoothing));
}

/** One-hot rows with `labelSmoothing` of their weight spread evenly over all classes (arXiv 1512.00567, section 7). */
function smoothedTargets(graph: GraphBuilder, logits: string, labels: string, labelSmoothing: number): string {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new RangeError(`Label smoothing ${labelSmoothing}; expected a number from 0 to below 1.`);
  }
  const classes = graph.shapeOf(logits)[1] ?? 1;
  const spread = labelSmoothing / classes;
  const ends = graph.vector([spread, 1 - labelSmoothing + spread], logits);
  return graph.add('OneHot', [labels, graph.ints([classes]), ends]);
}
