import { findRun, publishRun, RunFolder } from '@atelier/trainer';
import { Command } from '@commander-js/extra-typings';
import { print, printJson } from '../output.ts';
import { MODEL_NAME, type Settings } from '../settings.ts';

export function publishCommand(settings: Settings) {
  return new Command('publish')
    .description(`Publish what a finished run exported as the next version of ${MODEL_NAME}, without training again.`)
    .argument('<run>', 'its id or its folder')
    .option('--json', 'print the version as JSON')
    .addHelpText('after', '\nExample:\n  npm run publish -- 2026-01-31T12-00-00-ann-128-1f2e')
    .action(async (run, { json }) => {
      const folder = await RunFolder.open(await findRun(settings.runsDirectory, run));
      try {
        const { version: published, isNew } = await publishRun(folder, settings.modelsDirectory, MODEL_NAME, {
          force: true, // whoever asks for it here has seen the figures
        });
        const { name, version, directory, manifest } = published;
        if (json) printJson({ name, version, isNew, digest: manifest.digest, directory });
        else if (isNew) print(`Published ${name} version ${version} in ${directory}`);
        else print(`The run is ${name} version ${version} already, in ${directory}; nothing was published`);
      } finally {
        await folder.release();
      }
    });
}
