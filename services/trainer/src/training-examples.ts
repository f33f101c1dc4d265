import type { Recipe } from '@atelier/domain';
import { augmented, type Examples, select, shuffled, type TrainingExamples, withTargets } from '@atelier/fashion-mnist';

export interface TrainingData {
  /** Images to choose from, and which of them train and which validate. */
  examples: Examples;
  train: Uint32Array;
  validation: Uint32Array;
}

/**
 * What one epoch trains on: the training images once each, shuffled, augmented and with soft targets as the recipe says.
 * (recipe, epoch) decide every byte; `epoch` counts from 1.
 */
export function trainingExamples(data: TrainingData, recipe: Recipe, epoch: number): TrainingExamples {
  const { seed, augmentation, loss } = recipe;
  const examples = select(data.examples, shuffled(data.train, seed, epoch));
  return augmented(withTargets(examples, loss.labelSmoothing), augmentation, seed, epoch);
}
