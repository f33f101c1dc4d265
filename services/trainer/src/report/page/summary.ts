import { type Content, decimal, duration, fileSize, keyFigures, type Markup, markup, percent } from '@atelier/reports';
import type { ReportContents } from '../contents.ts';
import type { RunState } from '../../runs/run-states.ts';

const STATES: Record<RunState, string> = {
  queued: 'waiting',
  running: 'still running',
  finished: 'finished',
  interrupted: 'interrupted',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** What the run was and what came out, at a glance. */
export function summary({ record: { run, history }, model }: ReportContents): Markup {
  return markup`<header>
<p class="kicker">Training run</p>
<h1>${run.recipe.name}</h1>
<p>${run.recipe.description}</p>
<p class="muted"><span class="state ${run.state}">${STATES[run.state]}</span> <code>${run.id}</code></p>
${run.error === null ? null : markup`<p class="error" role="note"><strong>${run.error.code}</strong> ${run.error.message}</p>`}
${model === null ? markup`<p role="note">The run has no exported model; the report shows what there is.</p>` : figures(model.manifest, history.length)}
</header>`;
}

function figures(
  { metrics: { train, validation, test }, training, sizeBytes }: NonNullable<ReportContents['model']>['manifest'],
  epochs: number,
): Markup {
  const [low, high] = test.accuracyInterval;
  const entries: readonly (readonly [string, string, Content])[] = [
    ['Test accuracy', percent(test.accuracy), `95 % interval ${percent(low)} to ${percent(high)}`],
    ['Validation accuracy', percent(validation.accuracy), `loss ${decimal(validation.loss)}`],
    ['Training accuracy', percent(train.accuracy), `loss ${decimal(train.loss)}`],
    ['Test loss', decimal(test.loss), 'nats'],
    ['Calibration error', percent(test.calibrationError), 'expected, on test'],
    ['Epochs', String(epochs), `weights of epoch ${training.bestEpoch}`],
    ['Training time', duration(training.seconds), training.device],
    ['Model', fileSize(sizeBytes), 'model.onnx'],
  ];
  return keyFigures(entries);
}
