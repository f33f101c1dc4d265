import type { HiddenLayer, RecipeSource } from '@atelier/domain';

const hidden = (units: number): HiddenLayer => ({
  units,
  activation: 'relu',
  batchNormalization: 'before-activation',
  dropout: 0.2, // the rate is ours
});

/** PyTorch ANN about reducing overfitting: linear, batch norm, ReLU, dropout; SGD 0.01 with weight decay 1e-4. */
export const ann12864: RecipeSource = {
  name: 'ann-128-64',
  description: 'PyTorch ANN, overfitting reduction: 128, 64 with batch norm and dropout, SGD with weight decay',
  hiddenLayers: [hidden(128), hidden(64)],
  // PyTorch's defaults: momentum 0.1 (here 0.9), epsilon 1e-5. PyTorch averages the unbiased batch variance, tfjs the
  // biased one: 1/31 apart at batch 32.
  batchNormalization: { momentum: 0.9, epsilon: 1e-5 },
  initializer: 'torch-linear',
  inputRange: [0, 1],
  optimizer: { kind: 'sgd', learningRate: 0.01 },
  // torch.optim.SGD's weight_decay is an L2 term on every parameter.
  weightDecay: { kind: 'l2', rate: 1e-4, appliesTo: 'all' },
  batchSize: 32, // left open by the author
  epochs: 2, // as published
  validationShare: 0.1, // left open by the author
  seed: 1,
};
