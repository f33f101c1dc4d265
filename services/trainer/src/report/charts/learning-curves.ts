import type { SplitMetrics } from '@atelier/domain';
import { type Chart, decimal, lineChart, percent, type Series } from '@atelier/reports';
import type { HistoryEntry } from '../../runs/history.ts';

/** What is known of the exported model beside the epochs. */
export interface ExportedResult {
  bestEpoch: number;
  metrics: { train: SplitMetrics; test: SplitMetrics };
}

/** Loss over the epochs; `history` has at least one. */
export function lossChart(history: readonly HistoryEntry[], exported: ExportedResult | null): Chart {
  const series = [
    measuredCurve('Training', history, ({ loss }) => loss),
    curve('Validation', history, ({ validation }) => validation.loss),
    curve('Training steps', history, ({ trainingLoss }) => trainingLoss),
  ].filter(({ points }) => points.length > 0);
  return lineChart({
    name: 'loss',
    title: 'Loss',
    description: series.map((each) => inWords(each, decimal)).join(' '),
    xTitle: 'Epoch',
    yTitle: 'Cross-entropy (nats)',
    series,
    markers: markers(exported),
  });
}

/** Accuracy over the epochs, with that of the exported model where there is one; `history` has at least one epoch. */
export function accuracyChart(history: readonly HistoryEntry[], exported: ExportedResult | null): Chart {
  const validation = curve('Validation', history, (entry) => entry.validation.accuracy);
  const measured = measuredCurve('Training', history, ({ accuracy }) => accuracy);
  const training =
    measured.points.length > 0
      ? measured
      : { name: 'Training (export)', points: atBestEpoch(exported, ({ metrics }) => metrics.train.accuracy) };
  const test: Series = { name: 'Test', points: atBestEpoch(exported, ({ metrics }) => metrics.test.accuracy) };
  const series = [training, validation, test].filter(({ points }) => points.length > 0);
  return lineChart({
    name: 'accuracy',
    title: 'Accuracy',
    description: series.map((each) => inWords(each, percent)).join(' '),
    xTitle: 'Epoch',
    yTitle: 'Accuracy',
    yFormat: '.0%',
    series,
    markers: markers(exported),
  });
}

/** The rate at the end of each epoch; `history` has at least one. */
export function learningRateChart(history: readonly HistoryEntry[]): Chart {
  const rate = curve('Learning rate', history, ({ learningRate }) => learningRate);
  return lineChart({
    name: 'learning-rate',
    title: 'Learning rate',
    description: inWords(rate, decimal),
    xTitle: 'Epoch',
    yTitle: 'Rate at the last step',
    fromZero: true,
    series: [rate],
  });
}

function curve(name: string, history: readonly HistoryEntry[], value: (entry: HistoryEntry) => number): Series {
  return { name, points: history.map((entry) => ({ x: entry.epoch, y: value(entry) })) };
}

/** Of the training images that were measured in inference mode, where they were. */
function measuredCurve(
  name: string,
  history: readonly HistoryEntry[],
  value: (training: NonNullable<HistoryEntry['training']>) => number,
): Series {
  return {
    name,
    points: history.flatMap(({ epoch, training }) => (training ? [{ x: epoch, y: value(training) }] : [])),
  };
}

function atBestEpoch(exported: ExportedResult | null, value: (exported: ExportedResult) => number): Series['points'] {
  return exported === null ? [] : [{ x: exported.bestEpoch, y: value(exported) }];
}

function markers(exported: ExportedResult | null): number[] {
  return exported === null ? [] : [exported.bestEpoch];
}

function inWords({ name, points }: Series, format: (value: number) => string): string {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return '';
  if (points.length === 1) return `${name}: ${format(first.y)} after epoch ${first.x}.`;
  return `${name}: from ${format(first.y)} after epoch ${first.x} to ${format(last.y)} after epoch ${last.x}.`;
}
