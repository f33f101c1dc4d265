import type { Augmentation } from '@atelier/domain';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { TrainingExamples } from '../training-examples.ts';

/** One way to change images. */
export interface AugmentationStep {
  /** Whether the settings ask for it. */
  isAsked(settings: Augmentation): boolean;
  /** Changes the examples in place; all that is random comes from `generator`. */
  apply(examples: TrainingExamples, settings: Augmentation, generator: RandomGenerator): void;
}
