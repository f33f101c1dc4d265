import { findRun, writeReport } from '@atelier/trainer';
import { Command } from '@commander-js/extra-typings';
import { loadDataset } from '../dataset.ts';
import { print, printJson } from '../output.ts';
import type { Settings } from '../settings.ts';

export function reportCommand(settings: Settings) {
  return new Command('report')
    .description("Write a run's report.html and its pictures anew; training does it at its end.")
    .argument('<run>', 'its id or its folder')
    .option('--json', 'print the paths as JSON')
    .addHelpText('after', '\nExample:\n  npm run report -- 2026-01-31T12-00-00-ann-128-1f2e')
    .action(async (run, { json }) => {
      const directory = await findRun(settings.runsDirectory, run);
      const report = await writeReport(directory, await loadDataset(settings));
      if (json) printJson(report);
      else print(`Written: ${report.path}`);
    });
}
