import { CLASS_NAMES, type SplitMetrics } from '@atelier/domain';
import type { ModelContents } from '../contents.ts';
import { percent, wholeNumber } from '../format.ts';
import { chartFigure, pictureGrid } from './figures.ts';
import { type Markup, markup } from './markup.ts';
import { table } from './tables.ts';

/** How good the exported model is on the test images. */
export function results({ manifest, confusionMatrix, calibration, correct, mistakes }: ModelContents): Markup {
  const { test } = manifest.metrics;
  return markup`<section id="results">
<h2>On the ${wholeNumber(test.count)} test images</h2>
<p class="muted">The model never saw them, and nothing in this run was chosen by them.</p>
<div class="charts">
${chartFigure(confusionMatrix, 'Images by class. Blue is right, orange is wrong; the stronger, the more often.')}
${chartFigure(calibration, 'Bars below the diagonal: more confident than right. Points stand at the mean confidence of their bin, with a 95 % interval.')}
</div>
${perClassTable(test)}
<h3 id="correct">Recognised</h3>
<p class="muted">The first two of each class that are right, with the probability of the class.</p>
${pictureGrid(correct)}
<h3 id="mistakes">The most confident mistakes</h3>
${
  mistakes.tiles.length === 0
    ? markup`<p>There are none.</p>`
    : markup`<p class="muted">What the model took each for, with its probability, and what the label says.</p>${pictureGrid(mistakes)}`
}
</section>`;
}

function perClassTable({ perClass, confusionMatrix }: SplitMetrics): Markup {
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
