import { DomainError, messageOf, type Recipe } from '@atelier/domain';
import { type Dataset, shuffled, stratifiedSplit } from '@atelier/fashion-mnist';
import { type PublishedVersion, publishVersion } from '@atelier/model-repository';
import { requireWritable } from './writable-folder.ts';
import type { ChosenEngine } from './engines/choose-engine.ts';
import { type ExportedModel, exportModel } from './export/export-model.ts';
import { type EpochReport, fit, type FitOptions, type TrainingData } from './fit.ts';
import { json, RunFolder } from './runs/run-folder.ts';
import type { Run } from './runs/run.ts';

/** Fewer could leave a class without an image to train or validate on. */
const SMALLEST_LIMIT = 100;

export interface TrainingRequest {
  recipe: Recipe;
  engine: ChosenEngine;
  dataset: Dataset;
  /** Train and validate on this many of the training images; null for all. */
  limit: number | null;
  runsDirectory: string;
  /** Where to publish, or null to only export into the run's folder. */
  publish: { modelsDirectory: string; name: string } | null;
}

export interface TrainingObserver extends FitOptions {
  onRun?: (run: Run, directory: string) => void;
}

export interface TrainingResult {
  run: Run;
  directory: string;
  history: EpochReport[];
  manifest: ExportedModel['manifest'];
  published: PublishedVersion | null;
}

/**
 * One run from a recipe to an exported and, where asked, published model. The run's folder stays readable however it
 * ends: `run.json` says finished, interrupted or failed, and why. A failure publishes nothing.
 */
export async function train(request: TrainingRequest, observer: TrainingObserver = {}): Promise<TrainingResult> {
  const { recipe, dataset } = request;
  const limit = request.limit === null || request.limit >= dataset.train.count ? null : request.limit;
  const data = trainingData(dataset, recipe, limit);
  await requireWritable(request.runsDirectory, 'RUNS_DIR');
  if (request.publish !== null) await requireWritable(request.publish.modelsDirectory, 'MODELS_DIR');
  const engine = await request.engine.create(recipe);
  try {
    const folder = await RunFolder.create(request.runsDirectory, {
      recipe,
      engine: { name: request.engine.name, device: engine.device, reason: request.engine.reason },
      data: { digest: dataset.digest, source: dataset.source, limit },
    });
    const endNow = () => folder.endNow('The process ended in the middle of the run.');
    process.once('exit', endNow);
    observer.onRun?.(folder.run, folder.directory);
    try {
      const onEpoch = async (report: EpochReport) => {
        await folder.addEpoch(report);
        await observer.onEpoch?.(report);
      };
      const fitted = await fit(engine, data, recipe, { ...observer, onEpoch });
      await folder.update({ bestEpoch: fitted.bestEpoch });
      refuseInterrupted(observer.signal, 'before the export');
      const exported = await exportModel(engine, { run: folder.run, fitted, data, dataset });
      refuseInterrupted(observer.signal, 'during the export');
      await writeExport(folder, exported);
      const published = await publish(request, exported);
      if (published !== null) await folder.update({ published: { name: published.name, version: published.version } });
      await folder.end('finished');
      return {
        run: folder.run,
        directory: folder.directory,
        history: fitted.history,
        manifest: exported.manifest,
        published,
      };
    } catch (error) {
      const code = error instanceof DomainError ? error.code : 'internal';
      await folder.end(code === 'training-interrupted' ? 'interrupted' : 'failed', { code, message: messageOf(error) });
      throw error;
    } finally {
      process.off('exit', endNow);
    }
  } finally {
    await engine.dispose();
  }
}

/** The recipe's split of the training images, or of `limit` of them drawn with the recipe's seed. */
export function trainingData(dataset: Dataset, recipe: Recipe, limit: number | null): TrainingData {
  const { train: examples } = dataset;
  if (limit === null || limit >= examples.count) {
    return { examples, ...stratifiedSplit(examples.labels, recipe.validationShare, recipe.seed) };
  }
  if (limit < SMALLEST_LIMIT) throw new RangeError(`A limit of ${limit} images; expected at least ${SMALLEST_LIMIT}.`);
  const chosen = shuffled(Uint32Array.from(examples.labels.keys()), recipe.seed, 0).subarray(0, limit);
  const split = stratifiedSplit(
    Uint8Array.from(chosen, (index) => examples.labels[index] ?? 0),
    recipe.validationShare,
    recipe.seed,
  );
  const original = (positions: Uint32Array) => positions.map((position) => chosen[position] ?? 0);
  return { examples, train: original(split.train), validation: original(split.validation) };
}

async function writeExport(folder: RunFolder, { model, files, manifest }: ExportedModel): Promise<void> {
  await folder.write('model.onnx', model);
  for (const [path, data] of Object.entries(files)) await folder.write(path, data);
  await folder.write('manifest.json', json(manifest));
}

async function publish({ publish: target }: TrainingRequest, exported: ExportedModel) {
  return target === null ? null : publishVersion(target.modelsDirectory, target.name, exported);
}

function refuseInterrupted(signal: AbortSignal | undefined, when: string): void {
  if (signal?.aborted) throw new DomainError('training-interrupted', `Interrupted ${when}; nothing was published.`);
}
