import { resolve } from 'node:path';
import { resolveVersion } from '@atelier/model-repository';
import { recalibrate } from '@atelier/trainer';
import { Command } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { loadDataset } from '../dataset.ts';
import { percent, print, printJson } from '../output.ts';
import { MODEL_NAME, type Settings } from '../settings.ts';

export function recalibrateCommand(settings: Settings) {
  return new Command('recalibrate')
    .description(
      'Publish the next version with the same weights, and temperature, outlier scores and thresholds fitted anew.',
    )
    .option('--version <n>', 'instead of the latest', wholeNumber(1))
    .option('--to <folder>', 'of models to publish into, in place of the one that it comes from')
    .option('--json', 'print the version as JSON')
    .addHelpText('after', '\nExample:\n  npm run recalibrate -- --version 3')
    .action(async ({ version: asked, to, json }) => {
      const before = await resolveVersion(settings.modelsDirectory, MODEL_NAME, asked ?? 'latest');
      const target = to === undefined ? settings.modelsDirectory : resolve(to);
      const published = await recalibrate(before, await loadDataset(settings), target);
      const { name, version, directory, manifest } = published;
      const { temperature, trust, metrics } = manifest;
      if (json) {
        printJson({ name, version, digest: manifest.digest, directory, temperature, trust });
        return;
      }
      print(`Published ${name} version ${version}, with the weights of version ${before.version}, in ${directory}`);
      print(
        `Temperature ${temperature}; calibration error on the test images ${percent(metrics.test.calibrationError)}`,
      );
      if (trust === undefined) return;
      print(`Outliers: a score above ${trust.outliers.threshold.toFixed(3)}`);
      print(`Low confidence: below ${percent(trust.confidence.threshold)}`);
    });
}
