import type { Chart } from '@atelier/reports';
import { parallelCoordinatesChart } from '../report/charts/parallel-coordinates.ts';
import type { SearchResults } from './results.ts';
import type { Search } from './search.ts';

/** The trials as parallel coordinates. One that failed has no place among the accuracies, whatever it had before. */
export function searchChart({ request: { space } }: Search, { trials }: SearchResults): Chart {
  const lines = trials.map(({ number, values, best, state }) => ({
    number,
    values,
    accuracy: state === 'failed' ? null : (best?.accuracy ?? null),
    isWhole: state === 'finished',
  }));
  return parallelCoordinatesChart(space, lines);
}
