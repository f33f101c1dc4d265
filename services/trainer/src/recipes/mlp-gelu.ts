import type { RecipeSource } from '@atelier/domain';

/** Keras, well regularised: GELU, batch norm, dropout, AdamW, early stopping, one-hot cross-entropy. */
export const mlpGelu: RecipeSource = {
  name: 'mlp-gelu',
  description: 'Keras, well regularised: 384, 256, 128 GELU with batch norm and dropout, AdamW, early stopping',
  // The dropout rates are ours.
  hiddenLayers: [
    { units: 384, activation: 'gelu', batchNormalization: 'after-activation', dropout: 0.3 },
    { units: 256, activation: 'gelu', batchNormalization: 'after-activation', dropout: 0.3 },
    { units: 128, activation: 'gelu', batchNormalization: 'none', dropout: 0.2 },
  ],
  initializer: 'glorot-uniform',
  inputRange: [0, 1],
  optimizer: { kind: 'adam', learningRate: 0.001 }, // Keras' default rate
  // Keras' AdamW: decoupled, on every trainable variable. The rate is ours.
  weightDecay: { kind: 'decoupled', rate: 0.004, appliesTo: 'all' },
  batchSize: 64,
  epochs: 30,
  earlyStopping: { monitor: 'validation-loss', patience: 5 }, // ours
  validationShare: 0.2,
  seed: 1,
};
