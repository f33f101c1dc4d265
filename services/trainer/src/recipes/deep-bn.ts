import type { HiddenLayer, RecipeSource } from '@atelier/domain';

const hidden = (units: number, dropout: number): HiddenLayer => ({
  units,
  activation: 'relu',
  batchNormalization: 'before-activation',
  dropout,
});

/**
 * PyTorch, complete workflow: batch norm, ReLU, dropout, log-softmax with negative log-likelihood (which together are
 * cross-entropy), early stopping and a learning-rate schedule on a train/validation/test split.
 */
export const deepBn: RecipeSource = {
  name: 'deep-bn',
  description: 'PyTorch, complete workflow: 512, 256, 128 with batch norm and dropout, early stopping, schedule',
  hiddenLayers: [hidden(512, 0.3), hidden(256, 0.3), hidden(128, 0.2)], // the rates are ours
  batchNormalization: { momentum: 0.9, epsilon: 1e-5 }, // PyTorch's defaults
  initializer: 'torch-linear',
  inputRange: [0, 1],
  // The author named neither the optimiser nor the numbers from here on; they are ours, chosen on validation images.
  optimizer: { kind: 'adam', learningRate: 0.001 },
  weightDecay: { kind: 'decoupled', rate: 0.05, appliesTo: 'kernels' },
  schedule: { kind: 'cosine', warmUpEpochs: 1 },
  batchSize: 64,
  epochs: 40,
  earlyStopping: { monitor: 'validation-accuracy', patience: 15 },
  validationShare: 0.1,
  seed: 1,
};
