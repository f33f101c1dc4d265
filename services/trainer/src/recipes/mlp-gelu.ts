import type { RecipeSource } from '@atelier/domain';

/** Keras, well regularised: GELU, batch norm, dropout, AdamW, early stopping, one-hot cross-entropy. */
export const mlpGelu: RecipeSource = {
  name: 'mlp-gelu',
  description: 'Keras, well regularised: 384, 256, 128 GELU with batch norm and dropout, AdamW, early stopping',
  // The dropout rates are ours; so are the numbers below that are not said to be the author's, chosen on validation images.
  hiddenLayers: [
    { units: 384, activation: 'gelu', batchNormalization: 'after-activation', dropout: 0.1 },
    { units: 256, activation: 'gelu', batchNormalization: 'after-activation', dropout: 0.05 },
    { units: 128, activation: 'gelu', batchNormalization: 'none', dropout: 0.05 },
  ],
  batchNormalization: { momentum: 0.9 },
  initializer: 'glorot-uniform',
  inputRange: [0, 1],
  optimizer: { kind: 'adam', learningRate: 0.001 }, // Keras' default rate
  // Keras' AdamW, which the author named: decoupled, on every trainable variable.
  weightDecay: { kind: 'decoupled', rate: 0.05, appliesTo: 'all' },
  // The author's loss is cross-entropy with one-hot targets, which is what smoothing takes.
  loss: { labelSmoothing: 0.1 },
  schedule: { kind: 'cosine', warmUpEpochs: 1 },
  weightAveraging: { decay: 0.999 },
  augmentation: { mirrorProbability: 0.5 },
  batchSize: 64, // the author's
  epochs: 30, // the author's, at most
  earlyStopping: { monitor: 'validation-accuracy', patience: 10 },
  validationShare: 0.2, // the author's
  seed: 1,
};
