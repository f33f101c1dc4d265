import type { RecipeSource } from '@atelier/domain';

/** Keras on Colab: one hidden layer with dropout, Adam, sparse cross-entropy, 7 epochs. */
export const ann128: RecipeSource = {
  name: 'ann-128',
  description: 'Keras, Colab: 128 ReLU with dropout, Adam, 7 epochs',
  hiddenLayers: [{ units: 128, activation: 'relu', batchNormalization: 'none', dropout: 0.2 }], // the rate is ours
  initializer: 'glorot-uniform',
  inputRange: [0, 1],
  optimizer: { kind: 'adam', learningRate: 0.001 }, // Keras' default rate
  batchSize: 32, // Keras' default
  epochs: 7,
  validationShare: 0.1, // left open by the author
  seed: 1,
};
