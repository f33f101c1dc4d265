import { CLASS_COUNT, PIXELS_PER_IMAGE, type Recipe } from '@atelier/domain';

/** What the names of the moving averages of the parameters begin with in an engine's state. */
export const AVERAGE_PREFIX = 'average/';

/** One tensor of a network, float32. */
export interface NetworkTensor {
  /** `<layer>/<weight>`, as TensorFlow.js names it: "hidden_1/kernel", "normalization_1/moving_mean". */
  name: string;
  role: 'kernel' | 'bias' | 'gamma' | 'beta' | 'moving_mean' | 'moving_variance';
  /** Kernels are [inputs, units], everything else [units]. */
  shape: readonly number[];
  /** The optimiser moves it; the others are running statistics of batch normalisation. */
  trainable: boolean;
}

/**
 * The parameters and running statistics of a recipe's network in the order in which TensorFlow.js lists and saves them:
 * what trains, layer by layer, and then the running statistics, layer by layer.
 */
export function networkTensors(recipe: Recipe): NetworkTensor[] {
  const trained: NetworkTensor[] = [];
  const statistics: NetworkTensor[] = [];
  const addDense = (layer: string, inputs: number, units: number) => {
    trained.push({ name: `${layer}/kernel`, role: 'kernel', shape: [inputs, units], trainable: true });
    trained.push({ name: `${layer}/bias`, role: 'bias', shape: [units], trainable: true });
  };
  let inputs = PIXELS_PER_IMAGE;
  recipe.hiddenLayers.forEach(({ units, batchNormalization }, index) => {
    addDense(`hidden_${index + 1}`, inputs, units);
    inputs = units;
    if (batchNormalization === 'none') return;
    const normalization = (role: NetworkTensor['role'], trainable: boolean): NetworkTensor => ({
      name: `normalization_${index + 1}/${role}`,
      role,
      shape: [units],
      trainable,
    });
    trained.push(normalization('gamma', true), normalization('beta', true));
    statistics.push(normalization('moving_mean', false), normalization('moving_variance', false));
  });
  addDense('logits', inputs, CLASS_COUNT);
  return [...trained, ...statistics];
}
