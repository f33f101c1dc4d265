import type { SplitMetrics } from '@atelier/domain';
import { percent } from '../format.ts';
import type { Chart } from './chart.ts';
import { SERIES_COLOURS } from './theme.ts';

const MEASURES = ['Precision', 'Recall', 'F1'] as const;
const BAR_HEIGHT = 10;

/** Precision, recall and F1 of each class that occurs, as bars from 0 to 1. */
export function classBarsChart({ perClass }: Pick<SplitMetrics, 'perClass'>): Chart {
  const shown = perClass.filter(({ support }) => support > 0);
  const weakest = shown.reduce((a, b) => (b.f1 < a.f1 ? b : a));
  const strongest = shown.reduce((a, b) => (b.f1 > a.f1 ? b : a));
  return {
    name: 'classes',
    title: 'Classes',
    description:
      `Precision, recall and F1 of ${shown.length} classes. The best is ${strongest.label} with an F1 of ` +
      `${percent(strongest.f1, 1)}, the weakest ${weakest.label} with ${percent(weakest.f1, 1)}.`,
    spec: {
      width: 320,
      height: { step: BAR_HEIGHT, for: 'offset' },
      data: {
        values: shown.flatMap(({ label, precision, recall, f1 }) =>
          [precision, recall, f1].map((share, index) => ({ label, measure: MEASURES[index], share })),
        ),
      },
      mark: { type: 'bar' },
      encoding: {
        y: {
          field: 'label',
          type: 'nominal',
          sort: null,
          title: null,
          scale: { paddingInner: 0.35 },
          axis: { labelLimit: 0 },
        },
        yOffset: { field: 'measure', type: 'nominal', sort: [...MEASURES] },
        x: {
          field: 'share',
          type: 'quantitative',
          title: null,
          scale: { domain: [0, 1] },
          axis: { format: '.0%', tickCount: 5 },
        },
        color: {
          field: 'measure',
          type: 'nominal',
          scale: { domain: [...MEASURES], range: SERIES_COLOURS.slice(0, MEASURES.length) },
        },
      },
    },
  };
}
