import { type HiddenLayer, parseRecipe, type Recipe, type RecipeSource } from '@atelier/domain';

/** 16 ReLU units without batch normalisation and dropout; `change` replaces whole fields. */
export function smallLayer(change: Partial<HiddenLayer> = {}): HiddenLayer {
  return { units: 16, activation: 'relu', batchNormalization: 'none', dropout: 0, ...change };
}

/** A recipe that trains in milliseconds; `change` replaces whole fields. */
export function smallRecipe(change: Partial<RecipeSource> = {}): Recipe {
  return parseRecipe({
    name: 'small',
    description: 'For tests',
    hiddenLayers: [{ units: 16, activation: 'relu', batchNormalization: 'before-activation', dropout: 0.2 }],
    initializer: 'glorot-uniform',
    inputRange: [0, 1],
    optimizer: { kind: 'adam', learningRate: 0.01 },
    batchSize: 20,
    epochs: 3,
    validationShare: 0.2,
    seed: 7,
    ...change,
  });
}
