import type { Recipe } from '@atelier/domain';
import type { Dimension, SearchSpace } from './space.ts';

/**
 * What a search tries where nobody says: how a recipe is trained, not what network it is, since its width is what its
 * author chose and what it costs to serve. Few dimensions, because random trials thin out with each.
 */
export function defaultSpace({ optimizer, batchSize, weightDecay }: Recipe): SearchSpace {
  return {
    // What matters most (Goodfellow, Bengio and Courville, Deep Learning, 11.4), and by its order of magnitude.
    '/optimizer/learningRate': around(optimizer.learningRate, Infinity),
    // Momentum multiplies the step by 1/(1 - momentum): above 0.98 it would undo the search for a learning rate.
    ...(optimizer.kind === 'momentum' ? { '/optimizer/momentum': uniform(0.8, 0.98) } : {}),
    // It has its best together with the learning rate; much smaller batches only take longer.
    '/batchSize': { kind: 'choice', values: powersOfTwoAround(batchSize) },
    // The same in all layers, else a deep recipe would have more dimensions than trials can cover.
    '/hiddenLayers/*/dropout': uniform(0, 0.5),
    // Where there is none the author wanted none.
    ...(weightDecay.kind === 'none' ? {} : { '/weightDecay/rate': around(weightDecay.rate, 0.5) }),
  };
}

/** A tenth to ten times. */
function around(value: number, limit: number): Dimension {
  const [minimum, maximum] = [value / 10, Math.min(value * 10, Math.max(limit, value))];
  return { kind: 'log-uniform', minimum: tidy(minimum), maximum: tidy(maximum) };
}

function uniform(minimum: number, maximum: number): Dimension {
  return { kind: 'uniform', minimum, maximum };
}

/** Half of the nearest, itself, its double and four times, as far as a recipe may have them. */
function powersOfTwoAround(batchSize: number): number[] {
  const nearest = 2 ** Math.round(Math.log2(batchSize));
  return [nearest / 2, nearest, nearest * 2, nearest * 4].filter((size) => size >= 1 && size <= 60_000);
}

/** 0.02 rather than 0.020000000000000004. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
