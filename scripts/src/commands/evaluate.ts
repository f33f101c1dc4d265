import { CLASS_COUNT, classificationMetrics, type SplitMetrics } from '@atelier/domain';
import { batches, type Examples } from '@atelier/fashion-mnist';
import type { Predictor } from '@atelier/inference';
import { Command } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { loadDataset } from '../dataset.ts';
import { percent, print, printJson } from '../output.ts';
import { withPredictor } from '../published-predictor.ts';
import type { Settings } from '../settings.ts';

const ROWS_PER_BATCH = 256;

export function evaluateCommand(settings: Settings) {
  return new Command('evaluate')
    .description('Measure a published version on the 10,000 test images, with the engine that serves it.')
    .option('--model-version <n>', 'instead of the latest', wholeNumber(1))
    .option('--json', 'print the metrics as JSON')
    .addHelpText('after', '\nExample:\n  npm run evaluate -- --model-version 2')
    .action(async ({ modelVersion, json }) => {
      await withPredictor(settings, modelVersion ?? 'latest', async (predictor) => {
        const { test } = await loadDataset(settings);
        const metrics = classificationMetrics(await probabilitiesOf(predictor, test), test.labels);
        const { name, version, manifest } = predictor.version;
        if (json) printJson({ model: { name, version, digest: manifest.digest }, device: predictor.device, metrics });
        else printMetrics(`${name} version ${version} on ${predictor.device.actual}`, metrics);
      });
    });
}

async function probabilitiesOf(predictor: Predictor, examples: Examples): Promise<Float32Array> {
  const probabilities = new Float32Array(examples.count * CLASS_COUNT);
  let row = 0;
  for (const batch of batches(examples, ROWS_PER_BATCH)) {
    probabilities.set((await predictor.predict(batch.images)).probabilities, row * CLASS_COUNT);
    row += batch.count;
  }
  return probabilities;
}

function printMetrics(title: string, metrics: SplitMetrics): void {
  const [low, high] = metrics.accuracyInterval;
  print(`${title}: ${metrics.count} test images`);
  print(`Accuracy ${percent(metrics.accuracy)} (95 % interval ${percent(low)} to ${percent(high)})`);
  print(`Loss ${metrics.loss.toFixed(4)}, calibration error ${percent(metrics.calibrationError)}`);
  print('');
  print(`${''.padEnd(12)}precision  recall      f1`);
  for (const { label, precision, recall, f1 } of metrics.perClass) {
    print(`${label.padEnd(12)}${[precision, recall, f1].map((value) => percent(value).padStart(8)).join('  ')}`);
  }
}
