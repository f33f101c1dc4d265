import { type Chart, lineChart, pairChart } from '@atelier/reports';
import { median } from '../measurements/statistics.ts';
import { type Ablation, variantOutcomes } from './ablation.ts';
import { PARTS, VARIANTS } from './variants.ts';

/** Train against validation accuracy of every variant, and the validation loss of the plainest over the epochs. */
export function ablationCharts(ablation: Ablation, name: string): Chart[] {
  const outcomes = variantOutcomes(ablation);
  if (outcomes.length === 0) return [];
  const accuracies = pairChart({
    name: `${name}-accuracy`,
    title: 'Train against validation accuracy',
    valueTitle: 'Accuracy after the last epoch, median of the seeds',
    firstName: 'Validation',
    secondName: 'Train',
    rows: outcomes.map(({ variant, train, validation }) => ({
      name: variant.name,
      first: validation.median,
      second: train.median,
    })),
  });
  return [accuracies, validationLossChart(ablation, `${name}-loss`)];
}

/** None of the parts, each alone and all: as many lines as one can tell apart. */
function validationLossChart({ runs, epochs }: Ablation, name: string): Chart {
  const shown = VARIANTS.filter(({ parts }) => parts.length <= 1 || parts.length === PARTS.length);
  const series = shown.flatMap((variant) => {
    const losses = runs.filter(({ row }) => row === variant.name).map(({ validationLosses }) => validationLosses);
    if (losses.length === 0) return [];
    const points = Array.from({ length: epochs }, (_, index) => ({
      x: index + 1,
      y: median(losses.map((each) => each[index] ?? NaN)),
    }));
    return { name: variant.name, points };
  });
  const inWords = series.map(
    ({ name, points }) => `${name}: ${points.at(0)?.y.toFixed(3)} to ${points.at(-1)?.y.toFixed(3)}.`,
  );
  return lineChart({
    name,
    title: 'Validation loss, median of the seeds',
    description: `Validation loss from the first epoch to the last. ${inWords.join(' ')}`,
    xTitle: 'Epoch',
    yTitle: 'Cross-entropy (nats)',
    series,
  });
}
