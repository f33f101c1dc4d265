import { CLASS_NAMES, type SplitMetrics } from '@atelier/domain';
import type { Chart } from './chart.ts';
import { COLOURS } from './theme.ts';

/** Above this opacity of a cell its number would be hard to read. */
const STRONGEST = 0.62;

/**
 * Rows are true classes, columns predicted ones; right is blue, wrong is vermilion, each the stronger the more often.
 * `images` says of what, for example "10,000 test images".
 */
export function confusionMatrixChart(
  { confusionMatrix }: Pick<SplitMetrics, 'confusionMatrix'>,
  images: string,
): Chart {
  const cells = confusionMatrix.flatMap((row, actual) =>
    row.map((times, predicted) => ({
      actual: CLASS_NAMES[actual] ?? '',
      predicted: CLASS_NAMES[predicted] ?? '',
      count: times,
      isRight: actual === predicted,
      strength: STRONGEST * strength(times, row, actual === predicted),
    })),
  );
  const worst = cells.filter(({ isRight }) => !isRight).reduce((a, b) => (b.count > a.count ? b : a));
  const classes = [...CLASS_NAMES];
  return {
    name: 'confusion-matrix',
    title: 'Confusion matrix',
    description:
      `${images} by true and predicted class. ` +
      (worst.count === 0
        ? 'There is no mistake.'
        : `The most frequent mistake: ${worst.count} times ${worst.actual} was taken for ${worst.predicted}.`),
    spec: {
      width: 350,
      height: 350,
      data: { values: cells },
      layer: [
        {
          mark: { type: 'rect' },
          encoding: {
            color: {
              field: 'isRight',
              type: 'nominal',
              scale: { domain: [true, false], range: [COLOURS.blue.light, COLOURS.vermilion.light] },
              legend: null,
            },
            opacity: { field: 'strength', type: 'quantitative', scale: null, legend: null },
          },
        },
        {
          transform: [{ filter: 'datum.count > 0' }],
          mark: { type: 'text', fontSize: 11 },
          encoding: { text: { field: 'count', type: 'quantitative', format: ',' } },
        },
      ],
      encoding: {
        x: {
          field: 'predicted',
          type: 'nominal',
          title: 'Predicted',
          scale: { domain: classes },
          axis: { labelAngle: -45, ticks: false, domain: false, labelOverlap: false },
        },
        y: {
          field: 'actual',
          type: 'nominal',
          title: 'True class',
          scale: { domain: classes },
          axis: { ticks: false, domain: false, labelOverlap: false },
        },
      },
    },
  };
}

/** 0 to 1. Mistakes are few beside what is right: the root keeps them visible. */
function strength(times: number, row: readonly number[], isRight: boolean): number {
  const share =
    times /
    Math.max(
      1,
      row.reduce((sum, each) => sum + each, 0),
    );
  return isRight ? share : Math.sqrt(Math.min(1, share * 2));
}
