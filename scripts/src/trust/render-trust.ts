import { markdownTable } from '../measurements/markdown-table.ts';
import { percent } from '../output.ts';
import { TRUST_GOALS, type TrustResults } from './trust-results.ts';

/** The part of docs/results.md about when answers are not to be believed. */
export function trustPart(results: TrustResults): string {
  const { writtenAt, seed, model, temperature, calibrationError, garments, thresholds, outliers } = results;
  const images = garments.count.toLocaleString('en');
  return [
    '## Knowing when not to believe it',
    '',
    `Written by \`npm run trust\` out of [trust.json](trust.json), ${writtenAt.slice(0, 10)}: ${model.name} version ${model.version} on the ${images} test`,
    `images and on ${outliers[0]?.count ?? 0} outliers of each kind, which [the code](../scripts/src/trust) draws from seed ${seed}. Temperature and`,
    'thresholds are of the validation images, and no number in the detector was fitted to outliers; which kind of detector it is was chosen on',
    'outliers that the same code drew from other seeds ([ADR 24](adr/0024-outliers-by-features.md)).',
    '',
    markdownTable(
      ['of the test images', '', 'to reach'],
      [
        ['calibration error of the logits as trained', percent(calibrationError.uncalibrated), ''],
        [
          `calibration error at temperature ${temperature}`,
          percent(calibrationError.calibrated),
          `at most ${percent(TRUST_GOALS.calibrationError)}`,
        ],
        [
          `pass as garments (score up to ${thresholds.outlierScore.toFixed(2)})`,
          percent(garments.pass),
          '95 % on validation',
        ],
        [`have a low confidence (below ${percent(thresholds.confidence)})`, percent(garments.lowConfidence), ''],
        ['abstained', percent(garments.abstained), ''],
        ['accuracy of all', percent(garments.accuracy), ''],
        ['accuracy where it does not abstain', percent(garments.accuracyOfOthers), ''],
      ],
    ),
    '',
    markdownTable(
      [
        'outliers',
        'area under the ROC curve',
        'flagged as outliers',
        'abstained',
        `at least ${TRUST_GOALS.area.toFixed(2)}`,
      ],
      outliers.map(({ title, area, flagged, abstained }) => [
        title,
        area.toFixed(3),
        percent(flagged),
        percent(abstained),
        area >= TRUST_GOALS.area ? 'yes' : '**no**',
      ]),
    ),
    '',
  ].join('\n');
}
