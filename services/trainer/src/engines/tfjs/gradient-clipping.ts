import * as tf from '@tensorflow/tfjs-core';

/** The gradients, all times limit/norm where their common Euclidean norm is above `limit` (arXiv 1211.5063). */
export function clipToGlobalNorm(gradients: tf.NamedTensorMap, limit: number): tf.NamedTensorMap {
  const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
  const norm = tf.sqrt(tf.addN(squares));
  const factor = tf.div(limit, tf.maximum(norm, limit));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, factor)]));
}
