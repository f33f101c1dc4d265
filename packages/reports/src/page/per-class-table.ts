import { CLASS_NAMES, type SplitMetrics } from '@atelier/domain';
import { percent, wholeNumber } from '../format.ts';
import { type Markup, markup } from './markup.ts';
import { table } from './tables.ts';

/** Precision, recall and F1 of each class, and what it is most often taken for. */
export function perClassTable({
  perClass,
  confusionMatrix,
}: Pick<SplitMetrics, 'perClass' | 'confusionMatrix'>): Markup {
  const rows = perClass.map((metrics, label) => ({
    ...metrics,
    confusion: mostFrequentMistake(confusionMatrix, label),
  }));
  const bar = (value: number) =>
    markup`<span class="bar" style="--share: ${value.toFixed(4)}">${percent(value)}</span>`;
  return table(
    'Per class',
    [
      { title: 'Class', cell: ({ label }) => label, kind: 'text' },
      { title: 'Precision', cell: ({ precision }) => bar(precision) },
      { title: 'Recall', cell: ({ recall }) => bar(recall) },
      { title: 'F1', cell: ({ f1 }) => bar(f1) },
      { title: 'Images', cell: ({ support }) => wholeNumber(support) },
      { title: 'Most often taken for', cell: ({ confusion }) => confusion, kind: 'text' },
    ],
    rows,
  );
}

function mostFrequentMistake(confusionMatrix: SplitMetrics['confusionMatrix'], label: number): string {
  const mistakes = (confusionMatrix[label] ?? []).map((count, predicted) => ({ count, predicted }));
  const [worst] = mistakes
    .filter(({ count, predicted }) => count > 0 && predicted !== label)
    .sort((a, b) => b.count - a.count);
  return worst === undefined ? '–' : `${CLASS_NAMES[worst.predicted] ?? ''} (${worst.count})`;
}
