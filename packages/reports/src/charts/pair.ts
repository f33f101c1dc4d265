import { percent } from '../format.ts';
import type { Chart } from './chart.ts';
import { NAMES_AXIS, ROW_HEIGHT, valuesAxis } from './rows.ts';
import { COLOURS } from './theme.ts';

export interface PairChart {
  name: string;
  title: string;
  /** Of the axis, with its unit. */
  valueTitle: string;
  /** d3's number format; default `.1%`. */
  format?: string;
  /** What the two values are called in the legend, for example "Validation" and "Train". */
  firstName: string;
  secondName: string;
  rows: readonly { name: string; first: number; second: number }[];
}

/** One row for each, in the given order: two points and the line between them, so that the distance is what one sees. */
export function pairChart(chart: PairChart): Chart {
  const { name, title, valueTitle, format = '.1%', firstName, secondName, rows } = chart;
  const y = NAMES_AXIS;
  const x = valuesAxis(valueTitle, format);
  const kinds = [firstName, secondName];
  const color = { domain: kinds, range: [COLOURS.blue.light, COLOURS.vermilion.light] };
  return {
    name,
    title,
    description: rows
      .map((row) => `${row.name}: ${firstName} ${percent(row.first)}, ${secondName} ${percent(row.second)}.`)
      .join(' '),
    spec: {
      width: 420,
      height: { step: ROW_HEIGHT },
      layer: [
        {
          data: { values: rows.map((row) => ({ ...row })) },
          mark: { type: 'rule', strokeWidth: 2, color: COLOURS.grey.light },
          encoding: { y, x: { ...x, field: 'first' }, x2: { field: 'second' } },
        },
        {
          data: {
            values: rows.flatMap((row) => [
              { name: row.name, value: row.first, kind: firstName },
              { name: row.name, value: row.second, kind: secondName },
            ]),
          },
          mark: { type: 'point', filled: true, size: 90, opacity: 1 },
          encoding: {
            y,
            x: { ...x, field: 'value' },
            color: { field: 'kind', type: 'nominal', scale: color },
            shape: { field: 'kind', type: 'nominal', scale: { domain: kinds, range: ['circle', 'square'] } },
          },
        },
      ],
    },
  };
}
