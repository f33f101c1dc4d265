import { CLASS_NAMES, type SplitMetrics } from '@atelier/domain';
import { wholeNumber } from '../format.ts';
import type { Markup } from './markup.ts';
import { shareBar, table } from './tables.ts';

/** Precision, recall and F1 of each class, and what it is most often taken for. */
export function perClassTable({
  perClass,
  confusionMatrix,
}: Pick<SplitMetrics, 'perClass' | 'confusionMatrix'>): Markup {
  const rows = perClass.map((metrics, label) => ({
    ...metrics,
    confusion: mostFrequentMistake(confusionMatrix, label),
  }));
  return table(
    'Per class',
    [
      { title: 'Class', cell: ({ label }) => label, kind: 'text' },
      { title: 'Precision', cell: ({ precision }) => shareBar(precision) },
      { title: 'Recall', cell: ({ recall }) => shareBar(recall) },
      { title: 'F1', cell: ({ f1 }) => shareBar(f1) },
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
