import { type CalibrationBin, CLASS_NAMES } from '@atelier/domain';
import {
  chartFigure,
  classBarsChart,
  confusionMatrixChart,
  drawn,
  type Markup,
  markup,
  perClassTable,
  percent,
  reliabilityChart,
  table,
  wholeNumber,
} from '@atelier/reports';
import type { EvaluationMetrics } from '../../report.ts';

/** How good the version is: charts, and the same as tables. */
export async function resultsSection(metrics: EvaluationMetrics): Promise<Markup> {
  const { examples, calibrationError } = metrics;
  const images = `${wholeNumber(examples)} ${examples === 1 ? 'image' : 'images'}`;
  const [confusion, reliability, classes] = [
    await drawn(confusionMatrixChart(metrics, images)),
    await drawn(reliabilityChart(binSums(metrics), calibrationError)),
    await drawn(classBarsChart(metrics)),
  ];
  return markup`<section id="results">
<h2>Results</h2>
<div class="charts">
${chartFigure(confusion, 'Images by class. Blue is right, orange is wrong; the stronger, the more often.')}
${chartFigure(reliability, 'Bars below the diagonal: more confident than right. Points stand at the mean confidence of their bin, with a 95 % interval.')}
${chartFigure(classes, 'Precision: how often the class is right where it is predicted. Recall: how often it is found.')}
<div>
${confusionsTable(metrics)}
</div>
</div>
${perClassTable(metrics)}
<details><summary>The confusion matrix as a table</summary>
${confusionTable(metrics)}
</details>
<details><summary>The calibration as a table</summary>
${calibrationTable(metrics)}
</details>
</section>`;
}

/** As many as stand well beside a chart. */
const MOST_CONFUSIONS = 10;

function confusionsTable({ confusionMatrix }: EvaluationMetrics): Markup {
  const confusions = confusionMatrix
    .flatMap((row, actual) => {
      const support = row.reduce((sum, count) => sum + count, 0);
      return row.map((count, predicted) => ({ actual, predicted, count, support }));
    })
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((one, other) => other.count - one.count)
    .slice(0, MOST_CONFUSIONS);
  if (confusions.length === 0) return markup`<p>There is no mistake.</p>`;
  return table(
    'The most frequent mistakes',
    [
      { title: 'True class', cell: ({ actual }) => CLASS_NAMES[actual] ?? '', kind: 'text' },
      { title: 'Taken for', cell: ({ predicted }) => CLASS_NAMES[predicted] ?? '', kind: 'text' },
      { title: 'Images', cell: ({ count }) => wholeNumber(count) },
      { title: 'Of the class', cell: ({ count, support }) => percent(count / support, 1) },
    ],
    confusions,
  );
}

function confusionTable({ confusionMatrix }: EvaluationMetrics): Markup {
  return table(
    'Images by true class (rows) and predicted class (columns)',
    [
      { title: 'True class', cell: ({ label }) => label, kind: 'text' },
      ...CLASS_NAMES.map((title, predicted) => ({
        title,
        cell: ({ row }: { row: readonly number[] }) => wholeNumber(row[predicted] ?? 0),
      })),
    ],
    confusionMatrix.map((row, actual) => ({ row, label: CLASS_NAMES[actual] ?? '' })),
  );
}

function calibrationTable({ calibrationBins }: EvaluationMetrics): Markup {
  return table(
    'Confidence and accuracy',
    [
      { title: 'Confidence', cell: ({ lower, upper }) => `${percent(lower, 0)} to ${percent(upper, 0)}`, kind: 'text' },
      { title: 'Images', cell: ({ count }) => wholeNumber(count) },
      { title: 'Mean confidence', cell: ({ confidence }) => (confidence === null ? '–' : percent(confidence)) },
      { title: 'Accuracy', cell: ({ accuracy }) => (accuracy === null ? '–' : percent(accuracy)) },
    ],
    calibrationBins,
  );
}

/** The bins as they were counted. */
function binSums({ calibrationBins }: EvaluationMetrics): CalibrationBin[] {
  return calibrationBins.map(({ lower, upper, count, confidence, accuracy }) => ({
    lower,
    upper,
    count,
    confidence: (confidence ?? 0) * count,
    correct: Math.round((accuracy ?? 0) * count),
  }));
}
