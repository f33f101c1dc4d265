import type { EarlyStopping } from '@atelier/domain';
import type { EpochReport } from './epoch-report.ts';

type Monitor = EarlyStopping['monitor'];
/** What of an epoch can be watched. */
export type Measurements = Pick<EpochReport, 'trainingLoss' | 'validation'>;

/** What early stopping can watch, and which way is up. */
const MONITORS: Record<Monitor, { better: 'lower' | 'higher'; of: (report: Measurements) => number }> = {
  'training-loss': { better: 'lower', of: ({ trainingLoss }) => trainingLoss },
  'validation-loss': { better: 'lower', of: ({ validation }) => validation.loss },
  'validation-accuracy': { better: 'higher', of: ({ validation }) => validation.accuracy },
};

/** The number that early stopping watches, turned so that lower is better. */
export function monitored(monitor: Monitor, report: Measurements): number {
  const { better, of } = MONITORS[monitor];
  return better === 'lower' ? of(report) : -of(report);
}
