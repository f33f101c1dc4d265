import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

/** Where the masks of one training step come from; the same stream gives the same mask on every backend. */
export type MaskStream = (layerName: string) => string;

/**
 * Dropout whose masks can be repeated. tfjs' own layer draws from Math.random without a seed, and with one it drops the
 * same units at every step.
 */
export class SeededDropout extends layers.Layer {
  static readonly className: string = 'SeededDropout';
  readonly #rate: number;
  readonly #stream: MaskStream;

  constructor(config: { name: string; rate: number; stream: MaskStream }) {
    super({ name: config.name });
    this.#rate = config.rate;
    this.#stream = config.stream;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], { training }: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const input = Array.isArray(inputs) ? inputs[0] : inputs;
      if (input === undefined) throw new RangeError('Dropout takes one tensor; none came.');
      if (training !== true) return tf.clone(input);
      const uniform = tf.randomUniform(input.shape, 0, 1, 'float32', this.#stream(this.name));
      const kept = tf.cast(tf.greaterEqual(uniform, this.#rate), 'float32');
      return tf.mul(input, tf.div(kept, 1 - this.#rate)); // scaled, so that inference needs no change
    });
  }

  override computeOutputShape<T>(inputShape: T): T {
    return inputShape;
  }
}
