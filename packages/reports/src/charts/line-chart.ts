import type { Chart } from './chart.ts';
import { SERIES_COLOURS, SERIES_DASHES, SERIES_SHAPES } from './theme.ts';

/** Beyond this many points of a line their marks run into each other. */
const MOST_MARKED_POINTS = 40;

export interface LineChart {
  name: string;
  title: string;
  description: string;
  xTitle: string;
  yTitle: string;
  /** d3's number format, for example `.0%`; default: as precise as the steps of the axis. */
  yFormat?: string;
  /** One to as many as there are colours; a series of one point is a larger mark, before the others. */
  series: readonly Series[];
  /** Whether the vertical axis begins at zero; default false. */
  fromZero?: boolean;
  /** Where vertical dotted lines stand. */
  markers?: readonly number[];
}

export interface Series {
  name: string;
  points: readonly { x: number; y: number }[];
}

/** Lines over whole numbers, such as epochs. */
export function lineChart(chart: LineChart): Chart {
  const { name, title, description, series, markers = [] } = chart;
  if (series.length > SERIES_COLOURS.length) {
    throw new RangeError(`${series.length} series; a chart tells ${SERIES_COLOURS.length} apart.`);
  }
  const names = series.map((each) => each.name);
  const styled = <Style>(styles: readonly Style[]) =>
    ({
      field: 'series',
      type: 'nominal',
      scale: { domain: names, range: styles.slice(0, names.length) },
      ...(names.length > 1 ? {} : { legend: null }),
    }) as const;
  const position = positions(chart);
  const color = styled(SERIES_COLOURS);
  return {
    name,
    title,
    description,
    spec: {
      width: 340,
      height: 210,
      layer: [
        {
          data: { values: markers.map((x) => ({ x })) },
          mark: { type: 'rule', strokeDash: [2, 3] },
          encoding: { x: position.x },
        },
        {
          data: { values: rows(series) },
          mark: { type: 'line', strokeWidth: 2 },
          encoding: { ...position, color, strokeDash: styled(SERIES_DASHES) },
        },
        {
          data: {
            values: rows(series.filter(({ points }) => points.length <= MOST_MARKED_POINTS && points.length > 1)),
          },
          mark: { type: 'point', filled: true, size: 40, opacity: 1 },
          encoding: { ...position, color, shape: styled(SERIES_SHAPES) },
        },
        {
          data: { values: rows(series.filter(({ points }) => points.length === 1)) },
          mark: { type: 'point', filled: true, size: 80, opacity: 1 },
          encoding: { ...position, color, shape: styled(SERIES_SHAPES) },
        },
      ],
    },
  };
}

function rows(series: readonly Series[]) {
  return series.flatMap(({ name, points }) => points.map(({ x, y }) => ({ series: name, x, y })));
}

function positions({ xTitle, yTitle, yFormat, fromZero = false }: LineChart) {
  return {
    x: {
      field: 'x',
      type: 'quantitative',
      title: xTitle,
      scale: { nice: false, zero: false, padding: 8 },
      axis: { tickMinStep: 1, format: 'd', grid: false },
    },
    y: {
      field: 'y',
      type: 'quantitative',
      title: yTitle,
      scale: { zero: fromZero, nice: 6 },
      axis: { tickCount: 6, ...(yFormat === undefined ? {} : { format: yFormat }) },
    },
  } as const;
}
