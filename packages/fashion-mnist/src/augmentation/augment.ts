import { Augmentation, type AugmentationSource, describeIssues } from '@atelier/domain';
import { randomStream } from '../random-stream.ts';
import type { TrainingExamples } from '../training-examples.ts';
import { contrast } from './contrast.ts';
import { erasing } from './erasing.ts';
import { mirror } from './mirror.ts';
import { mixup } from './mixup.ts';
import { remnants } from './remnants.ts';
import type { AugmentationStep } from './step.ts';
import { toneReversal } from './tone-reversal.ts';
import { warp } from './warp.ts';

/** In the order in which they are applied. Each has a random stream by its name: one more changes no other. */
const STEPS: Record<string, AugmentationStep> = { mirror, warp, toneReversal, contrast, remnants, erasing, mixup };

/**
 * Changes the examples as `settings` ask, in place; what they leave out changes nothing. (settings, seed, epoch) decide
 * every byte. Settings out of range are a `RangeError` that names each.
 */
export function augment(examples: TrainingExamples, settings: AugmentationSource, seed: number, epoch: number): void {
  const parsed = Augmentation.safeParse(settings);
  if (!parsed.success) throw new RangeError(`The augmentation is not valid: ${describeIssues(parsed.error)}`);
  const asked = Object.entries(STEPS).filter(([, step]) => step.isAsked(parsed.data));
  for (const [name, step] of asked) step.apply(examples, parsed.data, randomStream(name, seed, epoch));
}
