import {
  CLASS_COUNT,
  type HiddenLayer,
  IMAGE_HEIGHT,
  IMAGE_WIDTH,
  MAXIMUM_PIXEL,
  PIXELS_PER_IMAGE,
  type Recipe,
} from '@atelier/domain';

/** One entry of a saved Sequential. */
interface SavedLayer {
  class_name: string;
  config: Record<string, unknown>;
}

/** Whose form of topology this is; TensorFlow.js writes its own version here, and readers look for Keras 3. */
const KERAS_VERSION = 'tfjs-layers 4.22.0';

/**
 * The `modelTopology` that TensorFlow.js saves for a recipe's network: raw pixels 0 to 255, float32 [batch, 28, 28], in;
 * logits [batch, 10] out. Scaling to the recipe's range is a layer, so whoever loads the model cannot scale wrongly.
 */
export function layersTopology(recipe: Recipe): object {
  const [minimum, maximum] = recipe.inputRange;
  const inputs = [PIXELS_PER_IMAGE, ...recipe.hiddenLayers.map(({ units }) => units)];
  const layers: SavedLayer[] = [
    {
      class_name: 'InputLayer',
      config: {
        batch_input_shape: [null, IMAGE_HEIGHT, IMAGE_WIDTH],
        dtype: 'float32',
        sparse: false,
        name: 'pixels',
      },
    },
    layer('Rescaling', 'scaled', { scale: (maximum - minimum) / MAXIMUM_PIXEL, offset: minimum }),
    layer('Flatten', 'flattened', {}),
    ...recipe.hiddenLayers.flatMap((hidden, index) => hiddenLayers(recipe, hidden, index + 1, inputs[index] ?? 0)),
    dense(recipe, 'logits', inputs.at(-1) ?? 0, CLASS_COUNT),
  ];
  return {
    class_name: 'Sequential',
    config: { name: recipe.name.replaceAll('-', '_'), layers },
    keras_version: KERAS_VERSION,
    backend: 'tensor_flow.js',
  };
}

function layer(className: string, name: string, settings: Record<string, unknown>): SavedLayer {
  return { class_name: className, config: { ...settings, name, trainable: true } };
}

/** Dense, batch normalisation and activation in the recipe's order, then dropout. `number` counts from 1. */
function hiddenLayers(recipe: Recipe, hidden: HiddenLayer, number: number, inputs: number): SavedLayer[] {
  const activation = layer('Activation', `activation_${number}`, { activation: hidden.activation });
  const normalization = batchNormalization(recipe, `normalization_${number}`);
  const ordered = {
    none: [activation],
    'before-activation': [normalization, activation],
    'after-activation': [activation, normalization],
  }[hidden.batchNormalization];
  const dropout =
    hidden.dropout > 0
      ? [layer('Dropout', `dropout_${number}`, { rate: hidden.dropout, noise_shape: null, seed: null })]
      : [];
  return [dense(recipe, `hidden_${number}`, inputs, hidden.units), ...ordered, ...dropout];
}

function dense({ initializer }: Recipe, name: string, inputs: number, units: number): SavedLayer {
  return layer('Dense', name, {
    units,
    activation: 'linear',
    use_bias: true,
    ...initializers(initializer, inputs),
    kernel_regularizer: null,
    bias_regularizer: null,
    activity_regularizer: null,
    kernel_constraint: null,
    bias_constraint: null,
  });
}

const ZEROS = { class_name: 'Zeros', config: {} };
const ONES = { class_name: 'Ones', config: {} };

/** For who trains the loaded model anew; without a seed, because ours would give other numbers there. */
function initializers(initializer: Recipe['initializer'], inputs: number) {
  const variance = (scale: number, mode: string, distribution: string) => ({
    kernel_initializer: { class_name: 'VarianceScaling', config: { scale, mode, distribution, seed: null } },
    bias_initializer: ZEROS,
  });
  switch (initializer) {
    case 'glorot-uniform':
      return variance(1, 'fan_avg', 'uniform');
    case 'he-normal':
      return variance(2, 'fan_in', 'normal');
    case 'torch-linear': {
      const range = 1 / Math.sqrt(inputs);
      const uniform = { class_name: 'RandomUniform', config: { minval: -range, maxval: range, seed: null } };
      return { kernel_initializer: uniform, bias_initializer: uniform };
    }
  }
}

function batchNormalization({ batchNormalization: { momentum, epsilon } }: Recipe, name: string): SavedLayer {
  return layer('BatchNormalization', name, {
    axis: -1,
    momentum,
    epsilon,
    center: true,
    scale: true,
    beta_initializer: ZEROS,
    gamma_initializer: ONES,
    moving_mean_initializer: ZEROS,
    moving_variance_initializer: ONES,
    beta_regularizer: null,
    gamma_regularizer: null,
    beta_constraint: null,
    gamma_constraint: null,
  });
}
