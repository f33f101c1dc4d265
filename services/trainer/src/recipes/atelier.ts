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
    digest: 'sha256:9f6eef643c10919a41f4cc981050190817fe990d1223173b9fbc803f31d5ab58',
  },
  schedule: { kind: 'cosine', warmUpEpochs: 1 },
  batchSize: 256,
  epochs: 120,
  validationShare: 0.1,
  augmentation: { mirrorProbability: 0.5, mixup: { alpha: 0.5 } },
  seed: 1,
};
