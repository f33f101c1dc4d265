import {
  chartFigure,
  type Column,
  decimal,
  duration,
  type Markup,
  markup,
  percent,
  table,
  wholeNumber,
} from '@atelier/reports';
import type { ReportContents } from '../contents.ts';
import type { HistoryEntry } from '../../runs/history.ts';

/** How the run went, epoch by epoch. */
export function learning({ record: { history }, curves, model }: ReportContents): Markup {
  if (curves === null) {
    return markup`<section id="learning"><h2>Learning</h2><p>No epoch was completed.</p></section>`;
  }
  const kept =
    model === null ? '' : ` The dotted line marks epoch ${model.manifest.training.bestEpoch}, whose weights were kept.`;
  const isTrainingKnown = history.some(({ training }) => training !== undefined);
  return markup`<section id="learning">
<h2>Learning</h2>
<div class="charts">
${chartFigure(curves.loss, `Training steps: mean over an epoch, with dropout, augmentation and soft targets.${kept}`)}
${chartFigure(curves.accuracy, isTrainingKnown ? `Training: a fixed sample of its images, as they are.${kept}` : `Training accuracy was not measured in every epoch.${kept}`)}
${chartFigure(curves.learningRate)}
</div>
<details><summary>All ${history.length} epochs as a table</summary>
${table('Epochs', columns(isTrainingKnown), history)}
</details>
</section>`;
}

function columns(isTrainingKnown: boolean): Column<HistoryEntry>[] {
  const training: Column<HistoryEntry> = {
    title: 'Training accuracy',
    cell: (entry) => (entry.training === undefined ? '' : percent(entry.training.accuracy)),
  };
  return [
    { title: 'Epoch', cell: ({ epoch }) => epoch },
    { title: 'Training loss', cell: ({ trainingLoss }) => trainingLoss.toFixed(4) },
    ...(isTrainingKnown ? [training] : []),
    { title: 'Validation loss', cell: ({ validation }) => validation.loss.toFixed(4) },
    { title: 'Validation accuracy', cell: ({ validation }) => percent(validation.accuracy) },
    { title: 'Learning rate', cell: ({ learningRate }) => decimal(learningRate) },
    { title: 'Images/s', cell: ({ imagesPerSecond }) => wholeNumber(imagesPerSecond) },
    { title: 'Time', cell: ({ seconds }) => duration(seconds) },
  ];
}
