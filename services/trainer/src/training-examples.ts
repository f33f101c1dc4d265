import type { Recipe } from '@atelier/domain';
import { augment, type Examples, select, shuffled, type TrainingExamples, withTargets } from '@atelier/fashion-mnist';

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
  const examples = withTargets(select(data.examples, shuffled(data.train, seed, epoch)), loss.labelSmoothing);
  augment(examples, augmentation, seed, epoch); // on the copies that select made
  return examples;
}
