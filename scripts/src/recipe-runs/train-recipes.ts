import { type DeviceChoice, type EngineChoice, type TrainingResult } from '@atelier/trainer';
import { interruptSignal } from '../interrupt.ts';
import { duration, note, percent } from '../output.ts';
import type { Settings } from '../settings.ts';
import { trainWithBars } from '../train-with-bars.ts';
import type { KeptRuns, WantedRun } from './kept-runs.ts';
import { type MeasuredRun, measuredRun } from './measured-run.ts';

export interface TrainRecipesOptions {
  engine: EngineChoice;
  device: DeviceChoice;
  settings: Settings;
  /** Finished runs; each that is trained now is kept too. */
  kept: KeptRuns;
  /** Take a finished run for one that is wanted, where it is of the same recipe, seed and number of images. */
  reuse: boolean;
}

/** What is wanted, one after the other, each by what `train` does and with a run of its own in the runs folder. */
export async function trainRecipes(wanted: readonly WantedRun[], options: TrainRecipesOptions): Promise<MeasuredRun[]> {
  const { kept, reuse } = options;
  const missing = wanted.filter((each) => !reuse || kept.find(each) === undefined);
  const signal = interruptSignal('Stopping; finished runs are kept for --continue. Once more to stop at once.');
  for (const [index, each] of missing.entries()) {
    note(`Run ${index + 1} of ${missing.length}: ${each.row}, seed ${each.recipe.seed}`);
    const run = await measuredRun(each.row, await trainShowing(each, options, signal));
    await kept.keep(run);
    const { accuracy, epochs, seconds } = run;
    note(
      `  train ${percent(accuracy.train)}, validation ${percent(accuracy.validation)}, ` +
        `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, ${duration(seconds)}`,
    );
  }
  return wanted.flatMap((each) => kept.find(each) ?? []);
}

/** Shows a bar, and no line per epoch: there are too many. */
async function trainShowing(
  { recipe, limit }: WantedRun,
  { engine, device, settings }: TrainRecipesOptions,
  signal: AbortSignal,
): Promise<TrainingResult> {
  const { runsDirectory, modelsDirectory, datasetDirectory: directory, datasetCache: cacheDirectory } = settings;
  return trainWithBars(
    {
      work: { kind: 'new', recipe, engine, device, limit },
      dataset: { directory, cacheDirectory },
      ...{ runsDirectory, modelsDirectory, publishAs: null },
    },
    { signal, epochLines: false },
  );
}
