import { CLASS_COUNT, IMAGE_HEIGHT, IMAGE_WIDTH, type Recipe } from '@atelier/domain';

/** What the names of the moving averages of the parameters begin with in an engine's state. */
export const AVERAGE_PREFIX = 'average/';

/** Where a state keeps what a trained network computes with: the moving average of a parameter, or else its last value. */
export function trainedName(tensors: Readonly<Record<string, unknown>>, name: string): string {
  const average = `${AVERAGE_PREFIX}${name}`;
  return average in tensors ? average : name;
}

/** A convolution without bias, padded so that stride 1 keeps the size; then batch normalisation and ReLU. */
export interface Convolution {
  channels: number;
  /** Side of the kernel, odd. */
  kernel: number;
  stride: number;
}

/**
 * What decides a network: a recipe, and for a teacher the convolutions before its dense layers. Recipes of their own have
 * none, and the ONNX engine alone builds them.
 */
export type NetworkRecipe = Recipe & { convolutions?: readonly Convolution[] };

/** One tensor of a network, float32. */
export interface NetworkTensor {
  /** `<layer>/<weight>`, as TensorFlow.js names it: "hidden_1/kernel", "normalization_1/moving_mean". */
  name: string;
  role: 'kernel' | 'bias' | 'gamma' | 'beta' | 'moving_mean' | 'moving_variance';
  /** Kernels are [inputs, units], those of convolutions [channels, inputs, side, side]; everything else is [units]. */
  shape: readonly number[];
  /** How many numbers a unit of this layer sums up. */
  inputs: number;
  /** The optimiser moves it; the others are running statistics of batch normalisation. */
  trainable: boolean;
}

/**
 * The parameters and running statistics of a recipe's network in the order in which TensorFlow.js lists and saves them:
 * what trains, layer by layer, and then the running statistics, layer by layer.
 */
export function networkTensors(recipe: NetworkRecipe): NetworkTensor[] {
  const trained: NetworkTensor[] = [];
  const statistics: NetworkTensor[] = [];
  const add = (layer: string, role: NetworkTensor['role'], shape: readonly number[], inputs: number) => {
    const trainable = !role.startsWith('moving');
    (trainable ? trained : statistics).push({ name: `${layer}/${role}`, role, shape, inputs, trainable });
  };
  const addDense = (layer: string, inputs: number, units: number) => {
    add(layer, 'kernel', [inputs, units], inputs);
    add(layer, 'bias', [units], inputs);
  };
  const addNormalization = (layer: string, units: number, inputs: number) => {
    for (const role of ['gamma', 'beta', 'moving_mean', 'moving_variance'] as const) add(layer, role, [units], inputs);
  };
  let [channels, height, width] = [1, IMAGE_HEIGHT, IMAGE_WIDTH];
  recipe.convolutions?.forEach((convolution, index) => {
    const { kernel, stride } = convolution;
    const inputs = channels * kernel ** 2;
    add(`convolution_${index + 1}`, 'kernel', [convolution.channels, channels, kernel, kernel], inputs);
    addNormalization(`convolution_${index + 1}`, convolution.channels, inputs);
    [channels, height, width] = [convolution.channels, Math.ceil(height / stride), Math.ceil(width / stride)];
  });
  let inputs = channels * height * width;
  recipe.hiddenLayers.forEach(({ units, batchNormalization }, index) => {
    addDense(`hidden_${index + 1}`, inputs, units);
    if (batchNormalization !== 'none') addNormalization(`normalization_${index + 1}`, units, inputs);
    inputs = units;
  });
  addDense('logits', inputs, CLASS_COUNT);
  return [...trained, ...statistics];
}
