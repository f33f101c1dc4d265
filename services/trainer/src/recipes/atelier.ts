import type { HiddenLayer, RecipeSource } from '@atelier/domain';

const hidden: HiddenLayer = {
  units: 1024,
  activation: 'relu',
  batchNormalization: 'before-activation',
  dropout: 0.1,
};

/**
 * Ours: the best multilayer perceptron that fits into 8 MB. It learns what a small convolutional network answers to
 * mirrored and mixed images; ADR 11 says why. All of it was chosen on validation images.
 */
export const atelier: RecipeSource = {
  name: 'atelier',
  description:
    'Ours: 1024, 1024 with batch norm, taught by a convolutional network on mirrored and mixed images, AdamW',
  hiddenLayers: [hidden, hidden],
  batchNormalization: { momentum: 0.9, epsilon: 1e-5 },
  initializer: 'he-normal',
  inputRange: [0, 1],
  optimizer: { kind: 'adam', learningRate: 0.003 },
  weightDecay: { kind: 'decoupled', rate: 0.05, appliesTo: 'kernels' },
  distillation: {
    teacher: 'convolutional',
    digest: 'sha256:f99f3f04919a5667b9817d7decefb6942ac103ee072df7e91f962a231f36e37c',
  },
  schedule: { kind: 'cosine', warmUpEpochs: 1 },
  batchSize: 256,
  epochs: 120,
  validationShare: 0.1,
  augmentation: { mirrorProbability: 0.5, mixup: { alpha: 0.5 } },
  seed: 1,
};
