import type { Chart } from '@atelier/reports';
import { machineInWords } from '../measurements/machine.ts';
import { markdownTable } from '../measurements/markdown-table.ts';
import { type Spread, spreadInWords } from '../measurements/statistics.ts';
import type { GeneratedPage } from '../measurements/written-page.ts';
import { duration } from '../output.ts';
import { photosPart } from '../photos/render-photos.ts';
import { trustPart } from '../trust/render-trust.ts';
import type { Goals } from './contenders.ts';
import { isTrial, type Outcome, outcomes, type Results } from './results.ts';
import type { ResultParts } from './result-parts.ts';
import { resultsChart } from './results-chart.ts';

/** The page of a comparison with its chart, and of its other parts where there are figures; the same for the same figures. */
export function resultsPage(results: Results, parts: ResultParts = NO_PARTS): GeneratedPage {
  const chart = resultsChart(results);
  const charts = chart === null ? [] : [chart];
  return { figures: results, charts, markdown: renderResults(results, charts, parts) };
}

const NO_PARTS: ResultParts = { photos: null, trust: null };

function renderResults(results: Results, charts: readonly Chart[], { photos, trust }: ResultParts): string {
  const { writtenAt, machine, seeds, limit, epochsScale, runs } = results;
  const all = outcomes(results);
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
  return [
    '# Results of the recipes',
    '',
    'Written by `npm run compare` out of the JSON file beside this page; not by hand.',
    '',
    ...(isTrial(results)
      ? [
          `**A trial that says nothing of the recipes:** ${limit === null ? 'all images' : `${limit} training images`}, ` +
            `${epochsScale === 1 ? 'all epochs' : `epochs times ${epochsScale}`}.`,
          '',
        ]
      : []),
    `- Machine: ${machineInWords(machine)}`,
    `- Computed by: ${[...new Set(runs.map(({ device }) => device))].sort().join('; ') || 'nothing yet'}`,
    `- Written: ${writtenAt.slice(0, 10)}; ${runs.length} ${runs.length === 1 ? 'run' : 'runs'} of ${duration(seconds)} in all, with augmentation, validation, export and evaluation`,
    `- Seeds: ${seeds.join(', ')}. A figure is the median of the seeds; what follows in brackets is from the lowest to the highest`,
    '',
    '## Accuracy on the 10,000 test images',
    '',
    markdownTable(
      ['recipe', "its author's claim", 'to reach', 'train', 'validation', 'test', 'reached'],
      all.map((each) => accuracyRow(each, results)),
    ),
    '',
    ...all.flatMap(({ contender: { name, note } }) => (note === undefined ? [] : [`\`${name}\`: ${note}`, ''])),
    ...charts.flatMap(({ name, title }) => [`![${title}](${name}.svg)`, '']),
    '## Cost',
    '',
    markdownTable(
      [
        'recipe',
        'epochs',
        'weights of epoch',
        'seconds per epoch',
        'seconds in all',
        'model',
        'looks at the test number',
      ],
      all.map((each) => costRow(each, results)),
    ),
    '',
    'Seconds per epoch are of training alone; seconds in all have augmentation, the answers of a teacher, validation, export ' +
      'and evaluation too.',
    '',
    LOOKS,
    '',
    ...(photos === null ? [] : [photosPart(photos)]),
    ...(trust === null ? [] : [trustPart(trust)]),
  ].join('\n');
}

const LOOKS = `## How the test images were used

The test images choose no recipe, no weight and no threshold. What a recipe's author named stays. What was left open (numbers, schedules, and in
\`mlp-gelu\` mirrored images, averaged weights and smoothed labels too), and the epoch whose weights count, are chosen on the
validation images; [each recipe](../services/trainer/src/recipes) says what is its author's. \`ann-128-64, more epochs\`
changes nothing but the number of epochs, which for each seed is the one that was best on the validation images. A recipe
that missed its row was tuned again on the validation images before it was looked at again.

A look is a run that trained to its end, whatever it was made for: each computes its model's test number once, and enters
itself in \`runs/test-looks.ndjson\` before it does. \`npm run compare\` adds those lines to \`docs/test-looks.json\`, each run
once, and the counts above are that file's. \`npm run evaluate\` shows a number again that its run has shown before.
Ablations train under names of their own, and no page of theirs shows a test number. Prototypes that were not made by the
commands of this repository are not counted.

Which outlier score the graph computes ([ADR 24](adr/0024-outliers-by-features.md)), and which map and patch an explanation has, were
compared on test images of an earlier version, without their labels: what is said of these two is said of images that they were
chosen on.`;

/** How a goal reads: "test 90.00 %". */
const GOAL_IN_WORDS: Record<keyof Goals, (goal: number) => string> = {
  train: (goal) => `train ${percentOf(goal)} %`,
  validation: (goal) => `validation ${percentOf(goal)} %`,
  test: (goal) => `test ${percentOf(goal)} %`,
  modelBytes: (goal) => `at most ${megabytes(goal)} MB`,
};

/** A row that lacks seeds says which it has. */
function rowName({ contender: { name }, runs }: Outcome, { seeds }: Results): string {
  const had = runs.map(({ seed }) => seed);
  return had.length === 0 || seeds.every((seed) => had.includes(seed)) ? name : `${name}, seed ${had.join(', ')} only`;
}

function accuracyRow(outcome: Outcome, results: Results): string[] {
  const { contender, measured, goals } = outcome;
  const { claim, reach } = contender;
  const name = rowName(outcome, results);
  const goal = (Object.entries(reach) as [keyof Goals, number][])
    .map(([key, value]) => GOAL_IN_WORDS[key](value))
    .join(', ');
  if (measured === null) return [name, claim, goal, '', '', '', 'not run'];
  const share = (value: Spread) => spreadInWords(value, percentOf, '%');
  const missed = goals.filter(({ isReached }) => !isReached).map((each) => each.name);
  const verdict = missed.length === 0 ? 'yes' : `**no**: ${missed.map((each) => GOAL_NAMES[each]).join(', ')}`;
  return [name, claim, goal, share(measured.train), share(measured.validation), share(measured.test), verdict];
}

const GOAL_NAMES: Record<keyof Goals, string> = {
  train: 'train',
  validation: 'validation',
  test: 'test',
  modelBytes: 'size',
};

function costRow(outcome: Outcome, results: Results): string[] {
  const { contender, measured } = outcome;
  const looks = String(results.testLooks[contender.recipe] ?? 0);
  const name = rowName(outcome, results);
  if (measured === null) return [name, '', '', '', '', '', looks];
  return [
    name,
    spreadInWords(measured.epochs, String),
    spreadInWords(measured.bestEpoch, String),
    spreadInWords(measured.secondsPerEpoch, (value) => value.toFixed(2)),
    spreadInWords(measured.seconds, (value) => value.toFixed(0)),
    spreadInWords(measured.modelBytes, megabytes, 'MB'),
    looks,
  ];
}

function percentOf(share: number): string {
  return (share * 100).toFixed(2);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}
