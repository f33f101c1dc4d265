import { parseRecipe } from '@atelier/domain';
import {
  chooseEngine,
  DEVICE_CHOICES,
  ENGINE_CHOICES,
  findRecipe,
  parseDeviceChoice,
  parseEngineChoice,
  RECIPES,
  train,
} from '@atelier/trainer';
import { Command } from '@commander-js/extra-typings';
import { wholeNumber } from '../arguments.ts';
import { loadDataset } from '../dataset.ts';
import { interruptSignal } from '../interrupt.ts';
import { note, percent, print, printJson } from '../output.ts';
import { MODEL_NAME, type Settings } from '../settings.ts';
import { TrainingProgress } from '../training-progress.ts';

export function trainCommand(settings: Settings) {
  return new Command('train')
    .description('Fit a recipe, evaluate it on the test images, export it to ONNX and prove the export.')
    .requiredOption('--recipe <name>', `one of ${[...RECIPES.keys()].join(', ')}`)
    .option('--epochs <n>', "instead of the recipe's", wholeNumber(1, 10_000))
    .option('--seed <n>', "instead of the recipe's", wholeNumber(0, 2 ** 31 - 1))
    .option('--engine <name>', ENGINE_CHOICES.join(', '), 'auto')
    .option('--device <name>', DEVICE_CHOICES.join(', '), 'auto')
    .option('--limit <n>', 'train and validate on this many images (for trying things)', wholeNumber(100, 60_000))
    .option('--publish', `publish the result as the next version of ${MODEL_NAME}`)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  npm run train -- --recipe ann-128 --epochs 2 --publish')
    .action(async (options) => {
      const recipe = parseRecipe({
        ...findRecipe(options.recipe),
        ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
        ...(options.seed === undefined ? {} : { seed: options.seed }),
      });
      const choice = { engine: parseEngineChoice(options.engine), device: parseDeviceChoice(options.device) };
      const signal = interruptSignal('Stopping; the run folder stays readable. Once more to stop at once.');
      const engine = await chooseEngine(choice.engine, choice.device);
      note(`Engine: ${engine.reason}`);
      const dataset = await loadDataset(settings, signal);
      note(`Data: ${dataset.source}`);
      const progress = new TrainingProgress();
      process.once('exit', () => progress.stop()); // gives the terminal its cursor back
      try {
        const result = await train(
          {
            recipe,
            engine,
            dataset,
            limit: options.limit ?? null,
            runsDirectory: settings.runsDirectory,
            publish: options.publish ? { modelsDirectory: settings.modelsDirectory, name: MODEL_NAME } : null,
          },
          {
            signal,
            onRun: (_run, directory) => note(`Run: ${directory}`),
            onProgress: (state) => progress.update(state),
            onEpoch: async (report) => progress.epoch(report),
          },
        );
        progress.stop();
        if (options.json) printJson(summary(result));
        else printResult(result);
      } finally {
        progress.stop();
      }
    });
}

type Result = Awaited<ReturnType<typeof train>>;

function printResult({ manifest, published, directory }: Result): void {
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

function summary({ run, directory, history, manifest, published }: Result) {
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
