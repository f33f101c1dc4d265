import type { Recipe } from '@atelier/domain';
import { randomStream } from '@atelier/fashion-mnist';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { type NetworkRecipe, type NetworkTensor, networkTensors } from './parameters.ts';

export interface TensorData {
  shape: number[];
  data: Float32Array;
}

/**
 * A network before its first step, by `<layer>/<weight>` in the order of `networkTensors`: kernels and biases as the
 * recipe's initializer draws them from its seed, gamma and variance 1, beta and mean 0. Every engine begins with these,
 * so a seed means the same weights on all of them.
 */
export function initialState(recipe: NetworkRecipe): Record<string, TensorData> {
  return Object.fromEntries(
    networkTensors(recipe).map((tensor) => [
      tensor.name,
      { shape: [...tensor.shape], data: initialValues(recipe, tensor) },
    ]),
  );
}

/** A layer's inputs decide the range of its bias too, for `torch-linear`. */
function initialValues({ initializer, seed }: Recipe, { name, role, shape, inputs }: NetworkTensor): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const draw = (next: (generator: RandomGenerator) => number) => {
    const generator = randomStream(`initial ${name}`, seed, 0);
    return values.map(() => next(generator));
  };
  switch (role) {
    case 'kernel':
      return draw(kernelDistribution(initializer, inputs, values.length / inputs));
    case 'bias':
      return initializer === 'torch-linear' ? draw(kernelDistribution(initializer, inputs, 0)) : values;
    case 'gamma':
    case 'moving_variance':
      return values.fill(1);
    case 'beta':
    case 'moving_mean':
      return values;
  }
}

function kernelDistribution(initializer: Recipe['initializer'], inputs: number, units: number) {
  switch (initializer) {
    // Glorot and Bengio 2010, equation 16.
    case 'glorot-uniform':
      return uniform(Math.sqrt(6 / (inputs + units)));
    // arXiv 1502.01852, equation 10, cut off at two deviations as in TensorFlow.js. Unlike Keras and like TensorFlow.js
    // we do not widen the bell to make up for the cut, so the values deviate by 0.88 of the root.
    case 'he-normal':
      return truncatedNormal(Math.sqrt(2 / inputs));
    // torch.nn.Linear: Kaiming uniform with a = √5, which is ±1/√inputs, and the same range for the bias.
    case 'torch-linear':
      return uniform(1 / Math.sqrt(inputs));
  }
}

/** Uniform in ±`limit`. */
function uniform(limit: number) {
  return (generator: RandomGenerator) => limit * (2 * uniformFloat64(generator) - 1);
}

/** Normal with mean 0, drawn again when it is more than two deviations off (Marsaglia's polar method). */
function truncatedNormal(deviation: number) {
  return (generator: RandomGenerator): number => {
    for (;;) {
      const x = 2 * uniformFloat64(generator) - 1;
      const y = 2 * uniformFloat64(generator) - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const normal = x * Math.sqrt((-2 * Math.log(square)) / square);
      if (Math.abs(normal) <= 2) return deviation * normal;
    }
  };
}
