import type { Recipe } from '@atelier/domain';

/**
 * The learning rate of each of an epoch's steps, [stepsPerEpoch]. `epoch` counts from 0; `reductions` says how often a
 * plateau has reduced the rate so far.
 */
export function learningRates(recipe: Recipe, epoch: number, stepsPerEpoch: number, reductions: number): Float32Array {
  const peak = recipe.optimizer.learningRate;
  return Float32Array.from(
    { length: stepsPerEpoch },
    (_, step) => peak * fractionOfPeak(recipe, epoch + step / stepsPerEpoch, 1 / stepsPerEpoch, reductions),
  );
}

/** `time` in epochs since the start, `stepTime` the length of a step in epochs. */
function fractionOfPeak({ schedule, epochs }: Recipe, time: number, stepTime: number, reductions: number): number {
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'step':
      return schedule.factor ** Math.floor(time / schedule.everyEpochs);
    case 'reduce-on-plateau':
      return schedule.factor ** reductions;
    case 'cosine': {
      // The first step of the warm-up already moves, hence the step added.
      if (time < schedule.warmUpEpochs) return Math.min(1, (time + stepTime) / schedule.warmUpEpochs);
      const progress = (time - schedule.warmUpEpochs) / Math.max(epochs - schedule.warmUpEpochs, stepTime);
      // arXiv 1608.03983, equation 5, without restarts.
      return schedule.finalFraction + ((1 - schedule.finalFraction) * (1 + Math.cos(Math.PI * progress))) / 2;
    }
  }
}
