import type { ModelReference } from '@atelier/domain';
import {
  chartFigure,
  decimal,
  drawn,
  facts,
  type Markup,
  markup,
  pairChart,
  percent,
  table,
  wholeNumber,
} from '@atelier/reports';
import type { DifferingImage, EvaluationMetrics, VersionComparison } from '../../report.ts';
import { namedPictures } from './pictures.ts';

/** Two versions on the same images. */
export async function comparisonSection(
  model: ModelReference,
  metrics: EvaluationMetrics,
  comparison: VersionComparison,
): Promise<Markup> {
  const { against, differing } = comparison;
  const [own, other] = versionNames(model, against);
  const recalls = await drawn(
    pairChart({
      name: 'recalls',
      title: 'Recall of each class',
      valueTitle: 'Recall',
      firstName: own,
      secondName: other,
      rows: metrics.perClass.flatMap(({ label, recall, support }, index) =>
        support === 0 ? [] : [{ name: label, first: recall, second: comparison.metrics.perClass[index]?.recall ?? 0 }],
      ),
    }),
  );
  return markup`<section id="comparison">
<h2>Against ${other}</h2>
<p>${verdict(own, other, comparison)}</p>
${comparisonFacts(own, other, comparison)}
<div class="charts">
${chartFigure(recalls)}
<div>
${table(
  'Side by side',
  [
    { title: 'Measure', cell: ({ title }) => title, kind: 'text' },
    { title: own, cell: (row) => row.text(metrics) },
    { title: other, cell: (row) => row.text(comparison.metrics) },
  ],
  MEASURES,
)}
</div>
</div>
<h3 id="differing">Images on which they differ</h3>
${
  differing.count === 0
    ? markup`<p>There are none.</p>`
    : markup`<p class="muted">${differing.shown.length === differing.count ? '' : `The ${differing.shown.length} most confident of ${wholeNumber(differing.count)}. `}What ${own} takes each for, then ${other}; who is right is in bold.</p>
${namedPictures(differing.shown.map(differingPicture(own, other)))}`
}
</section>`;
}

/** By the version where both are of one model. */
function versionNames(model: ModelReference, against: ModelReference): readonly [own: string, other: string] {
  if (model.name === against.name) return [`version ${model.version}`, `version ${against.version}`];
  return [`${model.name} version ${model.version}`, `${against.name} version ${against.version}`];
}

function verdict(own: string, other: string, comparison: VersionComparison): string {
  const { accuracyDifference, accuracyDifferenceInterval, mcnemar } = comparison;
  const [low, high] = accuracyDifferenceInterval;
  const numbers = `${points(accuracyDifference)} (95 % interval ${signed(low)} to ${points(high)}, p ${pValue(mcnemar.pValue)})`;
  if (low > 0) return `${sentence(own)} is more often right than ${other}: ${numbers}.`;
  if (high < 0) return `${sentence(own)} is less often right than ${other}: ${numbers}.`;
  return `These images do not tell which of the two is more often right: ${numbers}.`;
}

function comparisonFacts(own: string, other: string, comparison: VersionComparison): Markup {
  const { against, bothRight, onlyModelRight, onlyAgainstRight, bothWrong, mcnemar, accuracyDifferenceInterval } =
    comparison;
  const [low, high] = accuracyDifferenceInterval;
  return facts([
    ['Both right', wholeNumber(bothRight)],
    [`Only ${own} right`, wholeNumber(onlyModelRight)],
    [`Only ${other} right`, wholeNumber(onlyAgainstRight)],
    ['Both wrong', wholeNumber(bothWrong)],
    [
      'Accuracy difference',
      `${points(comparison.accuracyDifference)}, 95 % interval ${signed(low)} to ${points(high)} (Newcombe's method 10 for paired proportions)`,
    ],
    [
      "McNemar's test",
      `p ${pValue(mcnemar.pValue)} (two-sided, ${mcnemar.method === 'exact' ? 'exact' : 'exact with mid-p'})`,
    ],
    [`Digest of ${other}`, markup`<code>${against.digest}</code>`],
  ]);
}

const MEASURES: readonly { title: string; text: (metrics: EvaluationMetrics) => string }[] = [
  { title: 'Accuracy', text: ({ accuracy }) => percent(accuracy) },
  { title: 'Top three', text: ({ topThreeAccuracy }) => percent(topThreeAccuracy) },
  { title: 'Loss', text: ({ loss }) => decimal(loss) },
  { title: 'Balanced accuracy', text: ({ balancedAccuracy }) => percent(balancedAccuracy) },
  { title: 'Macro F1', text: ({ macroF1 }) => percent(macroF1) },
  { title: 'Weighted F1', text: ({ weightedF1 }) => percent(weightedF1) },
  { title: 'Calibration error', text: ({ calibrationError }) => percent(calibrationError) },
];

function differingPicture(own: string, other: string) {
  return ({ name, preview, actual, ...said }: DifferingImage) => {
    const [first, second] = [
      `${said.predicted} ${percent(said.confidence, 1)}`,
      `${said.againstPredicted} ${percent(said.againstConfidence, 1)}`,
    ];
    const mark = (text: string, predicted: string) => (predicted === actual ? markup`<strong>${text}</strong>` : text);
    return {
      preview,
      name,
      description: `${actual}; ${own}: ${first}, ${other}: ${second}`,
      caption: [mark(first, said.predicted), mark(second, said.againstPredicted), `is ${actual}`],
    };
  };
}

/** 0.0052 as +0.52 points, which are hundredths. */
function points(share: number): string {
  return `${signed(share)}\u00a0points`;
}

function signed(share: number): string {
  return `${share > 0 ? '+' : ''}${(share * 100).toFixed(2)}`;
}

function pValue(value: number): string {
  return value < 0.0001 ? '< 0.0001' : `= ${value.toFixed(4)}`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
