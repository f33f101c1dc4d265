import { duration, percent } from '@atelier/reports';
import type { RankedTrial, SearchResults } from './results.ts';
import type { Dimension } from './space.ts';
import type { Search } from './search.ts';
import { shortNames, valueText } from './values-in-words.ts';

export interface SearchColumn {
  title: string;
  kind: 'text' | 'number';
  cell: (trial: RankedTrial) => string;
}

/** What a table of a search shows of each trial; a page and a terminal have the same. */
export function searchColumns({ request: { space } }: Search): SearchColumn[] {
  const pointers = Object.keys(space);
  const names = shortNames(pointers);
  return [
    { title: 'Place', kind: 'number', cell: ({ place }) => String(place) },
    { title: 'Trial', kind: 'number', cell: ({ number }) => String(number) },
    ...pointers.map((pointer, index): SearchColumn => {
      const cell = ({ values }: RankedTrial) => valueText(values[pointer]);
      return { title: names[index] ?? pointer, kind: isNumeric(space[pointer]) ? 'number' : 'text', cell };
    }),
    { title: 'Validation', kind: 'number', cell: ({ best }) => (best === null ? '–' : percent(best.accuracy)) },
    { title: 'At epoch', kind: 'number', cell: ({ best }) => (best === null ? '–' : String(best.epoch)) },
    { title: 'Epochs', kind: 'number', cell: ({ epochs }) => String(epochs) },
    { title: 'Training', kind: 'number', cell: ({ seconds }) => duration(seconds) },
    { title: 'State', kind: 'text', cell: ({ state }) => state },
    { title: 'Run', kind: 'text', cell: ({ run }) => run ?? '–' },
  ];
}

/** The table as lines of text, the best trial first. */
export function searchTable(search: Search, { trials }: Pick<SearchResults, 'trials'>): string {
  const columns = searchColumns(search);
  const rows = [columns.map(({ title }) => title), ...trials.map((trial) => columns.map(({ cell }) => cell(trial)))];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  const aligned = (text: string, index: number) =>
    columns[index]?.kind === 'text' ? text.padEnd(widths[index] ?? 0) : text.padStart(widths[index] ?? 0);
  return rows.map((row) => row.map(aligned).join('  ').trimEnd()).join('\n');
}

function isNumeric(dimension: Dimension | undefined): boolean {
  return dimension?.kind !== 'choice' || dimension.values.every((value) => typeof value === 'number');
}
