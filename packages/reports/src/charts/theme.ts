import type { Config } from 'vega-lite';

/**
 * Colours of the charts, by what they mean: as the SVG has them, and in the dark. The series are Okabe and Ito's
 * (jfly.uni-koeln.de/color), which people with any colour vision tell apart. Each light one stands here once, because
 * the style sheet finds them by it.
 */
export const COLOURS = {
  ink: { light: '#1d2329', dark: '#e6e9ec' },
  muted: { light: '#58626d', dark: '#a3adb8' },
  line: { light: '#dde2e7', dark: '#363e47' },
  blue: { light: '#0072b2', dark: '#56b4e9' },
  vermilion: { light: '#d55e00', dark: '#f09342' },
  green: { light: '#009e73', dark: '#2fc79b' },
  purple: { light: '#b5598f', dark: '#dd8fbd' },
  yellow: { light: '#b38600', dark: '#f0c94a' },
  grey: { light: '#7b858f', dark: '#8f9aa5' },
} as const;

/** One for each series of a chart, in this order. */
export const SERIES_COLOURS = [
  COLOURS.blue.light,
  COLOURS.vermilion.light,
  COLOURS.green.light,
  COLOURS.purple.light,
  COLOURS.yellow.light,
  COLOURS.grey.light,
];

/** For those who see no colours, and for print. */
export const SERIES_DASHES = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 2, 2, 2],
  [10, 3],
  [4, 4],
];
export const SERIES_SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down'];

/** What every chart is drawn with. */
export const CHART_CONFIG: Config = {
  aria: false, // the page describes each chart as a whole
  background: 'transparent',
  font: 'sans-serif',
  padding: 4,
  view: { stroke: null },
  axis: {
    labelColor: COLOURS.muted.light,
    titleColor: COLOURS.muted.light,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    gridColor: COLOURS.line.light,
    domainColor: COLOURS.grey.light,
    tickColor: COLOURS.grey.light,
    labelOverlap: true,
  },
  legend: {
    labelColor: COLOURS.ink.light,
    labelFontSize: 12,
    orient: 'top',
    title: null,
    labelLimit: 0,
    columnPadding: 16,
    symbolStrokeWidth: 0, // it would have a line's dashes around the mark of its points
  },
  text: { color: COLOURS.ink.light, fontSize: 12 },
  rule: { color: COLOURS.muted.light },
};

/** Rules that turn a chart's colours into those of the dark, for a style sheet or for an SVG on its own. */
export function darkRules(): string {
  return Object.values(COLOURS)
    .flatMap(({ light, dark }) =>
      ['fill', 'stroke'].map((property) => `[${property}="${light}"] { ${property}: ${dark}; }`),
    )
    .join('\n');
}
