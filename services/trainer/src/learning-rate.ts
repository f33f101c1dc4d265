import type { Recipe, Schedule } from '@atelier/domain';

/** A moment of a training. */
interface Moment {
  /** Epochs since the start; fractions count its steps. */
  time: number;
  /** Length of a step in epochs. */
  stepTime: number;
  /** Length of the training in epochs. */
  epochs: number;
  /** Steps taken since the start, and steps of the whole training. */
  step: number;
  steps: number;
  /** How often a plateau has reduced the rate. */
  reductions: number;
}

/**
 * The learning rate of each of an epoch's steps, [stepsPerEpoch]. `epoch` counts from 0; `reductions` says how often a
 * plateau has reduced the rate so far.
 */
export function learningRates(recipe: Recipe, epoch: number, stepsPerEpoch: number, reductions: number): Float32Array {
  const { schedule, epochs, optimizer } = recipe;
  return Float32Array.from({ length: stepsPerEpoch }, (_, step) => {
    const moment = {
      time: epoch + step / stepsPerEpoch,
      stepTime: 1 / stepsPerEpoch,
      epochs,
      step: epoch * stepsPerEpoch + step,
      steps: epochs * stepsPerEpoch,
      reductions,
    };
    return optimizer.learningRate * fractionOfPeak(schedule, moment);
  });
}

function fractionOfPeak(schedule: Schedule, moment: Moment): number {
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'step':
      return schedule.factor ** Math.floor(moment.time / schedule.everyEpochs);
    case 'reduce-on-plateau':
      return schedule.factor ** moment.reductions;
    case 'cosine':
      return cosine(schedule, moment);
    case 'one-cycle':
      return oneCycle(schedule, moment);
  }
}

function cosine(
  { warmUpEpochs, finalFraction }: Schedule & { kind: 'cosine' },
  { time, stepTime, epochs }: Moment,
): number {
  // The first step of the warm-up already moves, hence the step added.
  if (time < warmUpEpochs) return Math.min(1, (time + stepTime) / warmUpEpochs);
  const progress = (time - warmUpEpochs) / Math.max(epochs - warmUpEpochs, stepTime);
  // arXiv 1608.03983, equation 5, without restarts.
  return halfCosine(1, finalFraction, progress);
}

/**
 * arXiv 1708.07120 in the form of PyTorch's OneCycleLR: the first step has the initial fraction and the last one the final
 * fraction; in between lies one step at the peak, or the fraction of a step after it.
 */
function oneCycle(
  { warmUpShare, initialFraction, finalFraction }: Schedule & { kind: 'one-cycle' },
  { step, steps }: Moment,
): number {
  const top = Math.max(0, warmUpShare * steps - 1);
  if (step < top) return halfCosine(initialFraction, 1, step / top);
  return halfCosine(1, finalFraction, (step - top) / Math.max(1, steps - 1 - top));
}

/** From `start` to `end` along half a cosine; `progress` from 0 to 1. */
function halfCosine(start: number, end: number, progress: number): number {
  return end + ((start - end) * (1 + Math.cos(Math.PI * progress))) / 2;
}
