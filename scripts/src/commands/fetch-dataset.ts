import { Command } from '@commander-js/extra-typings';
import { loadDataset } from '../dataset.ts';
import { interruptSignal } from '../interrupt.ts';
import { print, printJson } from '../output.ts';
import type { Settings } from '../settings.ts';

export function fetchDatasetCommand(settings: Settings) {
  return new Command('fetch-dataset')
    .description('Find Fashion-MNIST, fetch it where it is missing, and verify it.')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nLooks in FASHION_MNIST_DIR alone where that is set. Example:\n  npm run fetch-dataset')
    .action(async ({ json }) => {
      const { source, digest, train, test } = await loadDataset(settings, interruptSignal('Stopping the download.'));
      if (json) printJson({ source, digest, train: train.count, test: test.count });
      else print(`${train.count} training and ${test.count} test images from ${source}, ${digest}`);
    });
}
