import * as tf from '@tensorflow/tfjs-core';
import { AVERAGE_PREFIX } from '../../network/parameters.ts';
import type { EngineState } from '../../training-engine.ts';
import type { NamedVariable } from './optimizer.ts';

/** The exponential moving average of a network's parameters. */
export class WeightAverage {
  readonly #decay: number;
  readonly #pairs: { name: string; weight: tf.Variable; average: tf.Variable }[];

  /** Begins with the present weights. `decay` is the recipe's `weightAveraging.decay`. */
  constructor(decay: number, trainable: NamedVariable[]) {
    this.#decay = decay;
    this.#pairs = trainable.map(({ name, variable }) => ({
      name: `${AVERAGE_PREFIX}${name}`,
      weight: variable,
      average: tf.tidy(() => tf.variable(tf.clone(variable), false)),
    }));
  }

  /** Takes in the weights after a step; `earlierSteps` were taken before it. */
  update(earlierSteps: number): void {
    const decay = Math.min(this.#decay, (1 + earlierSteps) / (10 + earlierSteps));
    tf.tidy(() => {
      for (const { weight, average } of this.#pairs) {
        average.assign(tf.add(average, tf.mul(tf.sub(weight, average), 1 - decay)));
      }
    });
  }

  /** What `compute` gives with the averages in place of the weights. It must not wait for anything: nobody else may see them. */
  inPlaceOfWeights(compute: () => tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const kept = this.#pairs.map(({ weight }) => tf.clone(weight));
      try {
        for (const { weight, average } of this.#pairs) weight.assign(tf.clone(average));
        return compute();
      } finally {
        kept.forEach((tensor, index) => this.#pairs[index]?.weight.assign(tensor));
      }
    });
  }

  /** The live tensors by their names in a state. */
  tensors(): Record<string, tf.Tensor> {
    return Object.fromEntries(this.#pairs.map(({ name, average }) => [name, average]));
  }

  /** What `state` has for each average; a `RangeError` names the first one that is missing or does not fit. */
  savedIn(tensors: EngineState['tensors']) {
    return this.#pairs.map(({ name, average }) => ({
      variable: average,
      saved: savedTensor(tensors, name, average.shape),
    }));
  }

  dispose(): void {
    tf.dispose(this.#pairs.map(({ average }) => average));
  }
}

/** The tensor `name` of a state; one that is missing or of another shape is a `RangeError`. */
export function savedTensor(tensors: EngineState['tensors'], name: string, shape: (number | null)[]) {
  const saved = tensors[name];
  if (saved?.shape.join() === shape.join()) return saved;
  const found = saved === undefined ? 'is missing' : `has shape [${saved.shape.join()}]`;
  throw new RangeError(`"${name}" ${found}; expected [${shape.join()}].`);
}
