import type { RecipeSource } from '@atelier/domain';

/** Keras on Colab: one hidden layer with dropout, Adam, sparse cross-entropy, 7 epochs. */
export const ann128: RecipeSource = {
  name: 'ann-128',
  description: 'Keras, Colab: 128 ReLU with dropout, Adam, 7 epochs',
  hiddenLayers: [{ units: 128, activation: 'relu', batchNormalization: 'none', dropout: 0.02 }], // the rate is ours
  initializer: 'glorot-uniform',
  inputRange: [0, 1],
  // Adam's numbers, the schedule and the batch size are ours, chosen on validation images: seven epochs underfit otherwise.
  optimizer: { kind: 'adam', learningRate: 0.002, beta2: 0.99 },
  schedule: { kind: 'cosine', warmUpEpochs: 1 },
  batchSize: 32,
  epochs: 7,
  validationShare: 0.05, // left open by the author
  seed: 1,
};
