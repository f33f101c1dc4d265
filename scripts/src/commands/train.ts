import { resolve } from 'node:path';
import { hasCode, parseRecipe } from '@atelier/domain';
import {
  DEVICE_CHOICES,
  ENGINE_CHOICES,
  parseDeviceChoice,
  parseEngineChoice,
  RECIPES,
  type TrainingResult,
  type TrainingTask,
} from '@atelier/trainer';
import { Command, Option } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { interruptSignal } from '../interrupt.ts';
import { note, percent, print, printJson } from '../output.ts';
import { MODEL_NAME, type Settings } from '../settings.ts';
import { recipeFrom } from '../recipe-from.ts';
import { trainWithBars } from '../train-with-bars.ts';

export function trainCommand(settings: Settings) {
  const command = new Command('train')
    .description('Fit a recipe, evaluate it on the test images, export it to ONNX and prove the export.')
    .option('--recipe <name or file>', `one of ${[...RECIPES.keys()].join(', ')}, or a recipe as JSON`)
    .option('--from <model.onnx>', 'go on from this model, whose layers are those of the recipe')
    .option('--epochs <n>', "instead of the recipe's", wholeNumber(1, 10_000))
    .option('--seed <n>', "instead of the recipe's", wholeNumber(0, 2 ** 31 - 1))
    .option('--engine <name>', ENGINE_CHOICES.join(', '), 'auto')
    .option('--device <name>', DEVICE_CHOICES.join(', '), 'auto')
    .option(
      '--threads <n>',
      'of the ONNX engine on the CPU; default: one for each core this process may use',
      wholeNumber(1, 256),
    )
    .option('--limit <n>', 'train and validate on this many images (for trying things)', wholeNumber(100, 60_000))
    .addOption(
      // All of these stand in the run already.
      new Option('--resume <run>', 'go on with an interrupted run, by its id or folder').conflicts([
        ...['recipe', 'from', 'epochs', 'seed', 'engine', 'device', 'threads', 'limit'],
      ]),
    )
    .option('--publish', `publish the result as the next version of ${MODEL_NAME}`)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', EXAMPLES);
  return command.action(async (options) => {
    const work =
      (await chosenWork(options)) ?? command.error("error: required option '--recipe <name or file>' not specified");
    const task = {
      work,
      dataset: { directory: settings.datasetDirectory, cacheDirectory: settings.datasetCache },
      runsDirectory: settings.runsDirectory,
      modelsDirectory: settings.modelsDirectory,
      publishAs: options.publish ? MODEL_NAME : null,
    };
    const result = await trainShowing(task);
    if (options.json) printJson(summary(result));
    else printResult(result);
  });
}

interface Choice {
  recipe?: string | undefined;
  from?: string | undefined;
  resume?: string | undefined;
  epochs?: number | undefined;
  seed?: number | undefined;
  engine: string;
  device: string;
  threads?: number | undefined;
  limit?: number | undefined;
}

/** Null where neither a recipe nor a run is named. */
async function chosenWork(choice: Choice): Promise<TrainingTask['work'] | null> {
  const { recipe: name, from, resume: run, epochs, seed, threads, limit } = choice;
  if (run !== undefined) return { kind: 'resume', run };
  if (name === undefined) return null;
  const recipe = parseRecipe({
    ...(await recipeFrom(name)),
    ...(epochs === undefined ? {} : { epochs }),
    ...(seed === undefined ? {} : { seed }),
  });
  const engine = parseEngineChoice(choice.engine);
  const device = parseDeviceChoice(choice.device);
  const source = from === undefined ? null : resolve(from);
  return { kind: 'new', recipe, from: source, engine, device, threads: threads ?? null, limit: limit ?? null };
}

/** Trains in a process of its own and shows meanwhile what happens; says how to go on where it ends too early. */
async function trainShowing(task: TrainingTask): Promise<TrainingResult> {
  const signal = interruptSignal('Stopping; the run can be resumed. Once more to stop at once.');
  let goOn: () => void = () => undefined;
  try {
    return await trainWithBars(task, {
      signal,
      epochLines: true,
      onNotice: note,
      onRun: (run, directory) => {
        goOn = () => note(`Go on with: npm run train -- --resume ${run.id}`);
        note(`Run: ${directory}${run.epochs > 0 ? `, resumed after epoch ${run.epochs}` : ''}`);
      },
    });
  } catch (error) {
    if (canGoOn(error)) goOn();
    throw error;
  }
}

/** What diverged or failed its proof would do so again. */
function canGoOn(error: unknown): boolean {
  return !hasCode(error, 'training-diverged', 'parity-failed');
}

function printResult({ manifest, published, directory }: TrainingResult): void {
  const { test, validation } = manifest.metrics;
  const [low, high] = test.accuracyInterval;
  print(
    `Test accuracy ${percent(test.accuracy)} (95 % interval ${percent(low)} to ${percent(high)}), loss ${test.loss.toFixed(4)}`,
  );
  print(`Validation accuracy ${percent(validation.accuracy)}; weights of epoch ${manifest.training.bestEpoch}`);
  print(`Export differs from the trained network by at most ${manifest.parity.maximumDifference.toExponential(1)}`);
  print(
    published === null
      ? `Exported to ${directory}`
      : `Published ${published.name} version ${published.version} in ${published.directory}`,
  );
}

function summary({ run, directory, history, manifest, published }: TrainingResult) {
  return {
    run: run.id,
    directory,
    epochs: history.length,
    bestEpoch: manifest.training.bestEpoch,
    metrics: manifest.metrics,
    parity: manifest.parity,
    published:
      published === null
        ? null
        : { name: published.name, version: published.version, digest: published.manifest.digest },
  };
}

const EXAMPLES = `
Examples:
  npm run train -- --recipe ann-128 --epochs 2 --publish
  npm run train -- --recipe mlp-128-64 --from model.onnx
  npm run train -- --resume 2026-01-31T12-00-00-ann-128-1f2e`;
