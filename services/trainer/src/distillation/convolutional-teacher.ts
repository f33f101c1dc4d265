import { parseRecipe } from '@atelier/domain';
import type { Dataset } from '@atelier/fashion-mnist';
import { createOnnxEngine } from '../engines/onnx/engine.ts';
import { frozenNetwork } from '../engines/onnx/frozen-network.ts';
import { fit, type FitOptions, type FitResult } from '../fit.ts';
import type { NetworkRecipe } from '../network/parameters.ts';
import { trainingData } from '../training-data.ts';

/** The teacher that Atelier ships: a small convolutional network, far too slow to serve for what it is asked. */
export const CONVOLUTIONAL_TEACHER: NetworkRecipe = {
  ...parseRecipe({
    name: 'convolutional',
    description: 'Teacher: four convolutions with batch norm, then 256',
    hiddenLayers: [{ units: 256, activation: 'relu', batchNormalization: 'before-activation', dropout: 0.4 }],
    batchNormalization: { momentum: 0.9, epsilon: 1e-5 },
    initializer: 'he-normal',
    inputRange: [0, 1],
    optimizer: { kind: 'adam', learningRate: 0.002 },
    weightDecay: { kind: 'decoupled', rate: 0.05, appliesTo: 'kernels' },
    schedule: { kind: 'cosine', warmUpEpochs: 1 },
    batchSize: 128,
    epochs: 30,
    // As the recipe that learns from it, with the same seed: so neither has seen the images that validate.
    validationShare: 0.1,
    augmentation: {
      mirrorProbability: 0.5,
      shiftPixels: 1,
      rotationDegrees: 5,
      scale: 0.05,
      aspect: 0.05,
      mixup: { alpha: 0.2 },
    },
    seed: 1,
  }),
  convolutions: [
    { channels: 32, kernel: 5, stride: 2 },
    { channels: 64, kernel: 3, stride: 1 },
    { channels: 96, kernel: 3, stride: 2 },
    { channels: 128, kernel: 3, stride: 2 },
  ],
};

export interface TrainedTeacher extends FitResult {
  /** A file of the form of a published model. */
  model: Uint8Array;
  /** Threads decide the bits too. */
  device: string;
}

/** Trains a teacher on the CPU. The test images are not looked at. */
export async function trainTeacher(
  recipe: NetworkRecipe,
  dataset: Dataset,
  options: FitOptions = {},
): Promise<TrainedTeacher> {
  const engine = await createOnnxEngine(recipe);
  try {
    const fitted = await fit(engine, trainingData(dataset, recipe, null), recipe, options);
    return { ...fitted, model: frozenNetwork(recipe, await engine.snapshot()), device: engine.device };
  } finally {
    await engine.dispose();
  }
}
