import { CLASS_COUNT, type HiddenLayer, IMAGE_HEIGHT, IMAGE_WIDTH, MAXIMUM_PIXEL, type Recipe } from '@atelier/domain';
import { layers, sequential, type Sequential } from '@tensorflow/tfjs-layers';
import { type MaskStream, SeededDropout } from './seeded-dropout.ts';

type Layer = layers.Layer;

/**
 * A recipe's network: raw pixels 0 to 255, float32 [batch, 28, 28], in; logits [batch, 10] out. Its layers and their
 * settings are those of `network/topology.ts`; its kernels are zero.
 */
export function layersModel(recipe: Recipe, stream: MaskStream): Sequential {
  const [minimum, maximum] = recipe.inputRange;
  const model = sequential({ name: recipe.name.replaceAll('-', '_') });
  model.add(layers.inputLayer({ inputShape: [IMAGE_HEIGHT, IMAGE_WIDTH], name: 'pixels' }));
  model.add(layers.rescaling({ scale: (maximum - minimum) / MAXIMUM_PIXEL, offset: minimum, name: 'scaled' }));
  model.add(layers.flatten({ name: 'flattened' }));
  recipe.hiddenLayers.forEach((hidden, index) => {
    for (const layer of hiddenLayers(recipe, hidden, index + 1, stream)) model.add(layer);
  });
  model.add(dense('logits', CLASS_COUNT));
  return model;
}

/** Dense, batch normalisation and activation in the recipe's order, then dropout. `number` counts from 1. */
function hiddenLayers(recipe: Recipe, hidden: HiddenLayer, number: number, stream: MaskStream): Layer[] {
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
  return [dense(`hidden_${number}`, hidden.units), ...ordered, ...dropout];
}

/** The engine sets the initial weights. */
function dense(name: string, units: number): Layer {
  return layers.dense({ units, name, kernelInitializer: 'zeros' });
}
