import type { HiddenLayer, RecipeSource } from '@atelier/domain';

const hidden = (units: number): HiddenLayer => ({
  units,
  activation: 'relu',
  batchNormalization: 'none',
  dropout: 0,
});

/** PyTorch, plain: two ReLU layers, Adam 0.001, batch 32, 10 epochs, inputs in [-1, 1], nothing regularised. */
export const mlp12864: RecipeSource = {
  name: 'mlp-128-64',
  description: 'PyTorch, plain: 128, 64 ReLU, Adam, 10 epochs, inputs in [-1, 1]',
  hiddenLayers: [hidden(128), hidden(64)],
  initializer: 'torch-linear',
  inputRange: [-1, 1],
  optimizer: { kind: 'adam', learningRate: 0.001, epsilon: 1e-8 },
  schedule: { kind: 'cosine' }, // left open by the author
  batchSize: 32,
  epochs: 10,
  validationShare: 0.1, // left open by the author
  seed: 1,
};
