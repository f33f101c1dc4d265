import { join, resolve } from 'node:path';
import { DEVICE_CHOICES, ENGINE_CHOICES, parseDeviceChoice, parseEngineChoice, readTestLooks } from '@atelier/trainer';
import { Command } from '@commander-js/extra-typings';
import { listOf, positiveNumber, wholeNumber } from '../arguments.ts';
import { contendersOf, wantedRuns } from '../comparison/compare.ts';
import { CONTENDERS } from '../comparison/contenders.ts';
import { type KnownLooks, readKnownLooks, withLooks } from '../comparison/known-looks.ts';
import { readResultParts } from '../comparison/result-parts.ts';
import { resultsPage } from '../comparison/render-results.ts';
import { isTrial, Results, SEEDS } from '../comparison/results.ts';
import { readTextIfThere, writeWholeFile } from '../files.ts';
import { describeMachine } from '../measurements/machine.ts';
import { writePage } from '../measurements/written-page.ts';
import { note, print } from '../output.ts';
import { KeptRuns } from '../recipe-runs/kept-runs.ts';
import type { MeasuredRun } from '../recipe-runs/measured-run.ts';
import { trainRecipes } from '../recipe-runs/train-recipes.ts';
import type { Settings } from '../settings.ts';

export function compareCommand(settings: Settings) {
  return new Command('compare')
    .description(
      'Train every recipe with three seeds and write docs/results.md: what its author claims, and what came.',
    )
    .option(
      '--recipes <names>',
      'train only these, with commas between; the others as they were trained before',
      listOf(String),
    )
    .option('--seeds <list>', 'with commas between', listOf(wholeNumber(0, 2 ** 31 - 1)), [...SEEDS])
    .option('--epochs-scale <factor>', 'times the epochs of every recipe (for trying things)', positiveNumber, 1)
    .option('--limit <n>', 'train and validate on this many images (for trying things)', wholeNumber(100, 60_000))
    .option('--engine <name>', ENGINE_CHOICES.join(', '), 'auto')
    .option('--device <name>', DEVICE_CHOICES.join(', '), 'auto')
    .option('--continue', 'take finished runs of an interrupted comparison instead of training them again')
    .option('--out <page>', 'the page; default docs/results.md, or one in the runs folder for a trial')
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const recipes = options.recipes ?? CONTENDERS.map(({ recipe }) => recipe);
      const chosen = contendersOf(recipes);
      const choice = { engine: parseEngineChoice(options.engine), device: parseDeviceChoice(options.device) };
      const { seeds, epochsScale } = options;
      const selection = { seeds, epochsScale, limit: options.limit ?? null };
      const folder = join(settings.runsDirectory, isTrial(selection) ? 'trial-comparison' : 'comparison');
      const docs = join(settings.root, 'docs');
      const page = resolve(options.out ?? join(isTrial(selection) ? folder : docs, 'results.md'));
      const kept = await KeptRuns.open(
        join(folder, 'runs.json'),
        isTrial(selection) ? [] : await writtenRuns(join(docs, 'results.json')),
      );

      const wanted = chosen.flatMap((contender) => wantedRuns(contender, selection));
      await trainRecipes(wanted, { ...choice, settings, kept, reuse: options.continue ?? false });

      const all = CONTENDERS.flatMap((contender) => wantedRuns(contender, selection));
      const runs = all.flatMap((each) => kept.find(each) ?? []);
      const looks = await currentLooks(settings, join(docs, 'test-looks.json'), !isTrial(selection));
      const results: Results = {
        writtenAt: new Date().toISOString(),
        machine: describeMachine(runs[0]?.onnxruntime ?? 'unknown'),
        ...selection,
        testLooks: Object.fromEntries(CONTENDERS.map(({ recipe }) => [recipe, looks[recipe]?.length ?? 0])),
        runs,
      };
      const parts = isTrial(selection) ? undefined : await readResultParts(docs);
      await writePage(page, resultsPage(results, parts));
      print(`Written: ${page}`);
    });
}

/** The runs of the page that is there, so that a clone without runs of its own can train one recipe anew. */
async function writtenRuns(path: string): Promise<MeasuredRun[]> {
  const text = await readTextIfThere(path);
  return text === null ? [] : Results.parse(JSON.parse(text)).runs;
}

/** Those that are committed and those of this machine's runs; written where they belong to a comparison that counts. */
async function currentLooks({ runsDirectory }: Settings, path: string, isToBeWritten: boolean): Promise<KnownLooks> {
  const looks = withLooks(await readKnownLooks(path), await readTestLooks(runsDirectory, note));
  if (isToBeWritten) await writeWholeFile(path, `${JSON.stringify(looks, null, 2)}\n`);
  return looks;
}

const EXAMPLES = `
Each run is kept when it is finished. After an interruption, --continue costs the run that was interrupted.

Examples:
  npm run compare
  npm run compare -- --continue
  npm run compare -- --recipes ann-128,atelier --continue
  npm run compare -- --recipes ann-128 --seeds 1 --limit 500 --epochs-scale 0.2`;
