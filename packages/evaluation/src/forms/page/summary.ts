import { type Content, decimal, keyFigures, type Markup, markup, percent, wholeNumber } from '@atelier/reports';
import type { EvaluationReport, INPUT_FORMS } from '../../report.ts';

const FORMS: Record<(typeof INPUT_FORMS)[number], string> = {
  zip: 'a ZIP archive',
  idx: 'IDX files',
  csv: 'a CSV file',
  folder: 'a folder',
  dataset: 'a split of the data set',
};

/** What was measured and what came out, at a glance. */
export function summary(report: EvaluationReport): Markup {
  const { model, examples, input } = report;
  return markup`<header>
<p class="kicker">Evaluation</p>
<h1>${model.name} version ${model.version}</h1>
<p>On ${wholeNumber(examples)} labelled ${examples === 1 ? 'image' : 'images'} from ${FORMS[input.form]}.</p>
${keyFigures(figures(report))}
</header>`;
}

function figures(report: EvaluationReport): (readonly [string, string, Content])[] {
  const [low, high] = report.accuracyInterval;
  const { abstentions, unreadable } = report;
  return [
    ['Accuracy', percent(report.accuracy), `95 % interval ${percent(low)} to ${percent(high)}`],
    ['Top three', percent(report.topThreeAccuracy), 'the true class among the three most probable'],
    ['Loss', decimal(report.loss), 'nats'],
    ['Balanced accuracy', percent(report.balancedAccuracy), 'mean recall of the classes'],
    ['Macro F1', percent(report.macroF1), `weighted ${percent(report.weightedF1)}`],
    ['Calibration error', percent(report.calibrationError), 'expected, over 15 bins'],
    ...(abstentions === null
      ? []
      : ([
          [
            'Abstained',
            percent(abstentions.share, 1),
            abstentions.accuracyOfAnswered === null
              ? 'of no image it answered'
              : `accuracy of the others ${percent(abstentions.accuracyOfAnswered)}`,
          ],
        ] as const)),
    ...(unreadable.count === 0
      ? []
      : ([['Not read', wholeNumber(unreadable.count), 'entries, counted in no other number']] as const)),
    ['Speed', wholeNumber(report.imagesPerSecond), 'images a second'],
  ];
}
