import { type Chart, comparisonChart } from '@atelier/reports';
import { type Outcome, outcomes, type Results } from './results.ts';

/** Test accuracy of each contender that was run, with what is to be reached; null before the first run. */
export function resultsChart(results: Results): Chart | null {
  const measured = outcomes(results).filter(({ measured }) => measured !== null);
  if (measured.length === 0) return null;
  return comparisonChart({
    name: 'results',
    title: 'Accuracy on the test images',
    valueTitle: 'Test accuracy',
    valueName: 'Median of the seeds',
    rows: measured.map(({ contender, runs, measured }: Outcome) => ({
      name: contender.name,
      value: measured?.test.median ?? 0,
      measurements: runs.map(({ accuracy }) => accuracy.test),
      target: contender.reach.test,
    })),
  });
}
