import type { HiddenLayer, RecipeSource } from '@atelier/domain';

const hidden = (units: number, dropout: number): HiddenLayer => ({
  units,
  activation: 'relu',
  batchNormalization: 'before-activation',
  dropout,
});

/** Ours: the best regularised multilayer perceptron that the tfjs engine trains in reasonable time on a CPU. */
export const atelier: RecipeSource = {
  name: 'atelier',
  description: 'Ours: 512, 256 with batch norm, dropout, mirroring, AdamW and a cosine schedule',
  hiddenLayers: [hidden(512, 0.3), hidden(256, 0.3)],
  batchNormalization: { momentum: 0.9, epsilon: 1e-5 },
  initializer: 'he-normal',
  inputRange: [0, 1],
  optimizer: { kind: 'adam', learningRate: 0.002 },
  weightDecay: { kind: 'decoupled', rate: 0.02, appliesTo: 'kernels' },
  loss: { labelSmoothing: 0.05 },
  schedule: { kind: 'cosine', warmUpEpochs: 1 },
  batchSize: 128,
  epochs: 20,
  validationShare: 0.1,
  augmentation: { mirrorProbability: 0.5 },
  seed: 1,
};
