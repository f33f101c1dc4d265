import { duration, facts, instant, type Markup, markup, percent, wholeNumber } from '@atelier/reports';
import type { ReportContents } from '../contents.ts';
import type { HistoryEntry } from '../../runs/history.ts';

/** Where, when, how fast and on what the run was made: enough to make it again. */
export function runFacts({ record: { run, history }, model }: ReportContents): Markup {
  const trainingSeconds = history.reduce((sum, { seconds }) => sum + seconds, 0);
  const images = history.reduce((sum, { seconds, imagesPerSecond }) => sum + seconds * imagesPerSecond, 0);
  const wholeSeconds = run.endedAt === null ? null : (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000;
  const manifest = model?.manifest ?? null;
  return markup`<section id="run">
<h2>Run</h2>
${facts([
  ['Started', instant(run.startedAt)],
  ['Resumed', run.resumedAt.length === 0 ? null : run.resumedAt.map(instant).join(', ')],
  ['Ended', run.endedAt === null ? null : instant(run.endedAt)],
  [
    run.resumedAt.length === 0 ? 'Whole run' : 'Whole run, with its breaks',
    wholeSeconds === null ? null : duration(wholeSeconds),
  ],
  [
    'Training alone',
    history.length === 0
      ? null
      : `${duration(trainingSeconds)}, ${duration(trainingSeconds / history.length)} an epoch`,
  ],
  ['Preparation', ofTraining(history, trainingSeconds, ({ preparationSeconds }) => preparationSeconds)],
  ['Validation', ofTraining(history, trainingSeconds, ({ evaluationSeconds }) => evaluationSeconds)],
  ['Checkpoints', ofTraining(history, trainingSeconds, ({ checkpointSeconds }) => checkpointSeconds)],
  ['Speed', history.length === 0 ? null : `${wholeNumber(images / trainingSeconds)} images a second`],
  ['Engine', run.engine.name],
  ['Device', run.engine.device],
  ['Why this engine', run.engine.reason],
  [
    'Data',
    `Fashion-MNIST, ${run.data.limit === null ? 'all training images' : `${wholeNumber(run.data.limit)} of the training images`}`,
  ],
  ['Data from', run.data.source],
  ['Data digest', markup`<code>${run.data.digest}</code>`],
  ['Model digest', manifest && markup`<code>${manifest.digest}</code>`],
  [
    'Export proof',
    manifest &&
      `Largest difference of a probability from the trained network: ${manifest.parity.maximumDifference.toExponential(1)} on ${wholeNumber(manifest.parity.images)} images; ${manifest.parity.tolerance.toExponential(0)} is allowed`,
  ],
  ['Published', run.published && `${run.published.name}, version ${run.published.version}`],
  [
    'Software',
    manifest &&
      Object.entries(manifest.software)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
  ],
])}
</section>`;
}

/** What was spent beside training; null where it was not measured. */
function ofTraining(
  history: readonly HistoryEntry[],
  trainingSeconds: number,
  secondsOf: (entry: HistoryEntry) => number,
): string | null {
  const seconds = history.reduce((sum, entry) => sum + secondsOf(entry), 0);
  if (seconds === 0) return null;
  return `${duration(seconds)}, ${percent(seconds / trainingSeconds, 1)} of the training`;
}
