import { join, resolve } from 'node:path';
import {
  DEVICE_CHOICES,
  ENGINE_CHOICES,
  findRecipe,
  parseDeviceChoice,
  parseEngineChoice,
  RECIPES,
} from '@atelier/trainer';
import { Command } from '@commander-js/extra-typings';
import { type Ablation } from '../ablation/ablation.ts';
import { ablationPage } from '../ablation/render-ablation.ts';
import { variantRecipe, VARIANTS } from '../ablation/variants.ts';
import { listOf, wholeNumber } from '../arguments.ts';
import { describeMachine } from '../measurements/machine.ts';
import { pageName, writePage } from '../measurements/written-page.ts';
import { print } from '../output.ts';
import { KeptRuns } from '../recipe-runs/kept-runs.ts';
import { trainRecipes } from '../recipe-runs/train-recipes.ts';
import type { Settings } from '../settings.ts';

export function ablateCommand(settings: Settings) {
  return new Command('ablate')
    .description('Train a recipe with and without dropout, batch norm and weight decay, all eight combinations.')
    .requiredOption('--recipe <name>', `one of ${[...RECIPES.keys()].join(', ')}`)
    .option('--epochs <n>', "instead of the recipe's", wholeNumber(1, 10_000))
    .option('--seeds <list>', 'with commas between', listOf(wholeNumber(0, 2 ** 31 - 1)), [1, 2, 3])
    .option('--limit <n>', 'train and validate on this many images (for trying things)', wholeNumber(100, 60_000))
    .option('--engine <name>', ENGINE_CHOICES.join(', '), 'auto')
    .option('--device <name>', DEVICE_CHOICES.join(', '), 'auto')
    .option('--continue', 'take finished runs of an interrupted ablation instead of training them again')
    .option('--out <page>', 'the page; default ablation.md in a folder of the runs folder')
    .addHelpText('after', EXAMPLES)
    .action(async (options) => {
      const recipe = findRecipe(options.recipe);
      const choice = { engine: parseEngineChoice(options.engine), device: parseDeviceChoice(options.device) };
      const { seeds, epochs = recipe.epochs, limit = null } = options;
      const isTrial = limit !== null || epochs !== recipe.epochs;
      const folder = join(settings.runsDirectory, `${isTrial ? 'trial-' : ''}ablation-${recipe.name}`);
      const page = resolve(options.out ?? join(folder, 'ablation.md'));
      const kept = await KeptRuns.open(join(folder, 'runs.json'));

      const wanted = VARIANTS.flatMap((variant) =>
        seeds.map((seed) => ({ row: variant.name, recipe: variantRecipe(recipe, variant, { epochs, seed }), limit })),
      );
      const runs = await trainRecipes(wanted, { ...choice, settings, kept, reuse: options.continue ?? false });

      const ablation: Ablation = {
        writtenAt: new Date().toISOString(),
        machine: describeMachine(runs[0]?.onnxruntime ?? 'unknown'),
        ...{ recipe, epochs, seeds, limit },
        runs,
      };
      await writePage(page, ablationPage(ablation, pageName(page)));
      print(`Written: ${page}`);
    });
}

const EXAMPLES = `
Each run is kept when it is finished. After an interruption, --continue costs the run that was interrupted.

Examples:
  npm run ablate -- --recipe deep-bn --out docs/ablation.md
  npm run ablate -- --recipe ann-128-64 --epochs 30 --seeds 1
  npm run ablate -- --recipe ann-128 --epochs 2 --seeds 1 --limit 500`;
