import {
  CLASS_COUNT,
  type HiddenLayer,
  IMAGE_HEIGHT,
  IMAGE_WIDTH,
  MAXIMUM_PIXEL,
  PIXELS_PER_IMAGE,
  type Recipe,
} from '@atelier/domain';
import { initializers, layers, sequential, type Sequential } from '@tensorflow/tfjs-layers';
import { type MaskStream, SeededDropout } from './seeded-dropout.ts';

type Layer = layers.Layer;

/**
 * A recipe's network: raw pixels 0 to 255, float32 [batch, 28, 28], in; logits [batch, 10] out. Scaling to the recipe's
 * range is a layer, so whoever loads the saved model cannot scale wrongly. Initial weights come from the recipe's seed.
 */
export function layersModel(recipe: Recipe, stream: MaskStream): Sequential {
  const [minimum, maximum] = recipe.inputRange;
  const model = sequential({ name: recipe.name.replaceAll('-', '_') });
  model.add(layers.inputLayer({ inputShape: [IMAGE_HEIGHT, IMAGE_WIDTH], name: 'pixels' }));
  model.add(layers.rescaling({ scale: (maximum - minimum) / MAXIMUM_PIXEL, offset: minimum, name: 'scaled' }));
  model.add(layers.flatten({ name: 'flattened' }));
  let inputs = PIXELS_PER_IMAGE;
  recipe.hiddenLayers.forEach((hidden, index) => {
    for (const layer of hiddenLayers(recipe, hidden, index + 1, inputs, stream)) model.add(layer);
    inputs = hidden.units;
  });
  model.add(dense(recipe, 'logits', inputs, CLASS_COUNT, recipe.hiddenLayers.length + 1));
  return model;
}

/** Dense, batch normalisation and activation in the recipe's order, then dropout. `number` counts from 1. */
function hiddenLayers(
  recipe: Recipe,
  hidden: HiddenLayer,
  number: number,
  inputs: number,
  stream: MaskStream,
): Layer[] {
  const activation = layers.activation({ activation: hidden.activation, name: `activation_${number}` });
  const normalization = () =>
    layers.batchNormalization({ ...recipe.batchNormalization, name: `normalization_${number}` });
  const ordered = {
    none: () => [activation],
    'before-activation': () => [normalization(), activation],
    'after-activation': () => [activation, normalization()],
  }[hidden.batchNormalization]();
  const dropout =
    hidden.dropout > 0 ? [new SeededDropout({ name: `dropout_${number}`, rate: hidden.dropout, stream })] : [];
  return [dense(recipe, `hidden_${number}`, inputs, hidden.units, number), ...ordered, ...dropout];
}

function dense({ initializer, seed }: Recipe, name: string, inputs: number, units: number, number: number): Layer {
  return layers.dense({ units, name, ...initialValues(initializer, inputs, seed * 1000 + number) });
}

function initialValues(initializer: Recipe['initializer'], inputs: number, seed: number) {
  switch (initializer) {
    case 'glorot-uniform':
      return { kernelInitializer: initializers.glorotUniform({ seed }) };
    case 'he-normal':
      return { kernelInitializer: initializers.heNormal({ seed }) };
    case 'torch-linear': {
      // torch.nn.Linear: Kaiming uniform with a = √5, which is ±1/√inputs, and the same range for the bias.
      const range = 1 / Math.sqrt(inputs);
      const uniform = (offset: number) =>
        initializers.randomUniform({ minval: -range, maxval: range, seed: seed + offset });
      return { kernelInitializer: uniform(0), biasInitializer: uniform(500) };
    }
  }
}
