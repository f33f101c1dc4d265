import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { writeResultPart } from '../comparison/result-parts.ts';
import { loadDataset } from '../dataset.ts';
import { note, print } from '../output.ts';
import { withPredictor } from '../published-predictor.ts';
import type { Settings } from '../settings.ts';
import { measureTrust } from '../trust/measure-trust.ts';
import { TRUST_RESULTS } from '../trust/read-trust-results.ts';
import { trustPart } from '../trust/render-trust.ts';
import { TrustResults } from '../trust/trust-results.ts';

/** Of the outliers that docs/results.md is about, and how many of each kind there are. */
const SEED = 1;
const COUNT = 1000;

export function trustCommand(settings: Settings) {
  return new Command('trust')
    .description('Measure how well a version knows when not to believe itself, and write it into docs/results.md.')
    .option('--seed <n>', 'other outliers; then the figures are printed instead', wholeNumber(0, 2 ** 31 - 1), SEED)
    .option('--count <n>', 'outliers of each kind; the same', wholeNumber(10, 100_000), COUNT)
    .option('--version <n>', 'instead of the latest', wholeNumber(1))
    .option('--print', 'print the figures and leave the page as it is')
    .addHelpText('after', '\nExamples:\n  npm run trust\n  npm run trust -- --seed 2')
    .action(async ({ seed, count, version: wanted, print: isPrinted = false }) => {
      const { test } = await loadDataset(settings);
      const results = await withPredictor(settings, wanted ?? 'latest', async (predictor) => {
        const { name, version } = predictor.version;
        note(`${name} version ${version} on ${predictor.device.actual}`);
        const measured = await measureTrust(predictor, test, { count, seed });
        return TrustResults.parse({ writtenAt: new Date().toISOString(), ...measured });
      });
      if (isPrinted || seed !== SEED || count !== COUNT) print(trustPart(results));
      else print(`Written: ${await writeResultPart(join(settings.root, 'docs'), TRUST_RESULTS, results)}`);
    });
}
