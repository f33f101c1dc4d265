import type { Recipe } from '@atelier/domain';
import { type BestSoFar, follow, NOTHING_YET } from './best-so-far.ts';
import { type Measurements, monitored } from './monitored.ts';

/** Where a training stands after an epoch: with the engine's state, enough to go on to the same bits. */
export interface Standing {
  /** Done so far. */
  epoch: number;
  /** How often a plateau has reduced the learning rate. */
  reductions: number;
  /** The validation loss, as the schedule watches it. */
  plateau: BestSoFar;
  /** The number that early stopping watches. */
  monitored: BestSoFar;
  /** The epoch whose weights early stopping keeps; null without early stopping, and before an epoch improved. */
  bestEpoch: number | null;
}

export const BEGINNING: Standing = {
  epoch: 0,
  reductions: 0,
  plateau: NOTHING_YET,
  monitored: NOTHING_YET,
  bestEpoch: null,
};

/** After one more epoch, which brought these. */
export function afterEpoch(standing: Standing, { schedule, earlyStopping }: Recipe, report: Measurements): Standing {
  const next = { ...standing, epoch: standing.epoch + 1 };
  if (schedule.kind === 'reduce-on-plateau') {
    next.plateau = follow(standing.plateau, report.validation.loss);
    if (next.plateau.epochsSince > schedule.patience) {
      next.reductions++;
      next.plateau = { ...next.plateau, epochsSince: 0 }; // the best stays, the waiting begins again
    }
  }
  if (earlyStopping !== null) {
    const value = monitored(earlyStopping.monitor, report);
    next.monitored = follow(standing.monitored, value, earlyStopping.minimumImprovement);
    if (next.monitored.epochsSince === 0) next.bestEpoch = next.epoch;
  }
  return next;
}

/** True when the recipe's epochs are over, or its patience is. */
export function isOver({ epoch, monitored }: Standing, { epochs, earlyStopping }: Recipe): boolean {
  return epoch >= epochs || (earlyStopping !== null && monitored.epochsSince >= earlyStopping.patience);
}
