import { percent } from '../format.ts';
import type { Chart } from './chart.ts';
import { NAMES_AXIS, ROW_HEIGHT, valuesAxis } from './rows.ts';
import { COLOURS } from './theme.ts';

/** What was measured of one thing among several, for example the test accuracy of a recipe with three seeds. */
export interface Compared {
  name: string;
  /** The value that counts, for example the median. */
  value: number;
  /** Every single measurement. */
  measurements?: readonly number[];
  /** From and to, for example a 95 % interval. */
  interval?: readonly [number, number] | null;
  /** What was to be reached. */
  target?: number | null;
}

export interface ComparisonChart {
  name: string;
  title: string;
  /** Of the axis, with its unit. */
  valueTitle: string;
  /** d3's number format; default `.1%`. */
  format?: string;
  /** What the values are called in the legend, for example "Median of three seeds". */
  valueName: string;
  rows: readonly Compared[];
}

/**
 * One row for each, in the given order: a point for the value, small rings for single measurements, a line for the
 * interval and a tick for the target.
 */
export function comparisonChart({ name, title, valueTitle, format = '.1%', valueName, rows }: ComparisonChart): Chart {
  const names = rows.map((row) => row.name);
  const hasTargets = rows.some(({ target }) => target != null);
  const y = { ...NAMES_AXIS, scale: { domain: names } };
  const x = valuesAxis(valueTitle, format);
  const legend = {
    type: 'nominal',
    scale: {
      domain: hasTargets ? [valueName, 'Target'] : [valueName],
      range: hasTargets ? [COLOURS.blue.light, COLOURS.vermilion.light] : [COLOURS.blue.light],
    },
  } as const;
  return {
    name,
    title,
    description: rows
      .map(
        (row) =>
          `${row.name}: ${inWords(row.value, format)}${row.target == null ? '' : `, target ${inWords(row.target, format)}`}.`,
      )
      .join(' '),
    spec: {
      width: 420,
      height: { step: ROW_HEIGHT },
      layer: [
        {
          data: {
            values: rows.flatMap((row) =>
              row.interval ? [{ name: row.name, low: row.interval[0], high: row.interval[1] }] : [],
            ),
          },
          mark: { type: 'rule', strokeWidth: 2, color: COLOURS.blue.light, opacity: 0.5 },
          encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } },
        },
        {
          data: {
            values: rows.flatMap(({ name, measurements = [] }) => measurements.map((value) => ({ name, value }))),
          },
          mark: { type: 'point', size: 30, color: COLOURS.blue.light, opacity: 0.8 },
          encoding: { y, x: { ...x, field: 'value' } },
        },
        {
          data: {
            values: rows.flatMap(({ name, target }) =>
              target == null ? [] : [{ name, value: target, kind: 'Target' }],
            ),
          },
          mark: { type: 'tick', thickness: 3, size: ROW_HEIGHT * 0.6 },
          encoding: { y, x: { ...x, field: 'value' }, color: { field: 'kind', ...legend } },
        },
        {
          data: { values: rows.map(({ name, value }) => ({ name, value, kind: valueName })) },
          mark: { type: 'point', filled: true, size: 90, opacity: 1 },
          encoding: { y, x: { ...x, field: 'value' }, color: { field: 'kind', ...legend } },
        },
        {
          data: { values: rows.map(({ name, value }) => ({ name, value })) },
          mark: { type: 'text', align: 'left', dx: 10 },
          encoding: { y, x: { value: 'width' }, text: { field: 'value', type: 'quantitative', format } },
        },
      ],
    },
  };
}

function inWords(value: number, format: string): string {
  return format.endsWith('%') ? percent(value) : String(value);
}
