import { join } from 'node:path';
import { DomainError, hasCode, messageOf, type Recipe } from '@atelier/domain';
import type { Dataset } from '@atelier/fashion-mnist';
import { digestOf, listVersions, type PublishedVersion } from '@atelier/model-repository';
import { readTeacher } from './distillation/teacher-file.ts';
import { Teacher } from './distillation/teacher.ts';
import { type ChosenEngine, refuseThreads } from './engines/choose-engine.ts';
import type { EpochReport } from './epoch-report.ts';
import { type ExportedModel, exportModel } from './export/export-model.ts';
import { fit, type FitOptions, type FitResult, type Past, type Progress } from './fit.ts';
import { refuseTooLarge } from './network/size.ts';
import { publishOnce, requireNotWorse } from './publish-run.ts';
import type { Origin } from './runs/checkpoint.ts';
import { readCancelRequest } from './runs/cancel-request.ts';
import { jsonFile, type ResumePoint, RunFolder } from './runs/run-folder.ts';
import { type BegunRun, type Run, threadsOf } from './runs/run.ts';
import { recordTestLook } from './runs/test-looks.ts';
import { storageError } from './runs/whole-file.ts';
import { beginFrom, type SourceModel } from './source/source-model.ts';
import { computingSoftware } from './software-versions.ts';
import { trainingData } from './training-data.ts';
import type { TrainingEngine } from './training-engine.ts';
import { requireWritable } from './writable-folder.ts';

export interface TrainingRequest {
  recipe: Recipe;
  /** Whose weights the training begins with; default: those that the recipe draws. */
  source?: SourceModel | null;
  engine: ChosenEngine;
  /** For an engine that has threads to choose; default: one for each core that this process may use. */
  threads?: number | null;
  dataset: Dataset;
  /** Train and validate on this many of the training images; null for all. */
  limit: number | null;
  runsDirectory: string;
  /** Where to publish, or null to only export into the run's folder. */
  publish: { modelsDirectory: string; name: string } | null;
  /** The run, where it waits in its folder already; stays the caller's. Default: a new one. */
  waiting?: RunFolder;
}

export interface ResumeRequest {
  /** Stays the caller's, who opened it. */
  folder: RunFolder;
  /** The run's own, by name. */
  engine: ChosenEngine;
  dataset: Dataset;
  /** Where looks at the test images are kept, wherever the run's folder is. */
  runsDirectory: string;
  modelsDirectory: string;
  /** Publish under this name a run that was not asked to be published. */
  publishAs: string | null;
}

export interface TrainingObserver {
  signal?: AbortSignal;
  onRun?: (run: Run, directory: string) => void;
  onProgress?: (progress: Progress) => void;
  onEpoch?: (report: EpochReport) => void;
}

export interface TrainingResult {
  run: BegunRun;
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
  const { recipe, dataset, runsDirectory, publish, threads = null, source = null } = request;
  refuseThreads(request.engine, threads);
  const limit = request.limit === null || request.limit >= dataset.train.count ? null : request.limit;
  const data = trainingData(dataset, recipe, limit);
  const teacher = await prepareTraining(recipe, runsDirectory, publish);
  const { name, device: kind, reason } = request.engine;
  const engine = await request.engine.create(recipe, threads === null ? {} : { threads });
  try {
    const folder =
      request.waiting ??
      (await RunFolder.create(runsDirectory, {
        recipe,
        request: { engine: name, device: kind, threads, limit },
        job: null,
        publishAs: publish?.name ?? null,
        source: source && { file: source.file, digest: source.digest },
      }));
    try {
      await folder.begin({
        engine: {
          name,
          kind,
          device: engine.device,
          threads: engine.threads,
          software: computingSoftware(name),
          reason,
        },
        data: { digest: dataset.digest, source: dataset.source, limit },
      });
      if (source !== null) await folder.keepBeginning(originOf(folder.begunRun), await beginFrom(engine, source));
      return await carryOut(
        { folder, engine, teacher, dataset, data, runsDirectory, modelsDirectory: publish?.modelsDirectory },
        observer,
      );
    } finally {
      if (folder !== request.waiting) await folder.release();
    }
  } finally {
    await engine.dispose();
  }
}

/**
 * Goes on with a run that was interrupted, failed or killed, to the bits that it would have had without. Refused before
 * anything is changed: `run-finished`, and `invalid-checkpoint` where the checkpoint is damaged or of another recipe,
 * other data or another device, and names the field.
 */
export async function resume(request: ResumeRequest, observer: TrainingObserver = {}): Promise<TrainingResult> {
  const { folder, dataset, runsDirectory, modelsDirectory } = request;
  refuseFinished(folder);
  const run = folder.begunRun;
  const { recipe, data: runData, publishAs } = run;
  requireSame(run, 'data', runData.digest, dataset.digest);
  requireSameSoftware(run);
  const data = trainingData(dataset, recipe, runData.limit);
  const name = publishAs ?? request.publishAs;
  const teacher = await prepareTraining(recipe, runsDirectory, name === null ? null : { modelsDirectory, name });
  const threads = threadsOf(run);
  const engine = await request.engine.create(recipe, threads === null ? {} : { threads });
  try {
    requireSame(run, 'device', run.engine.device, engine.device);
    const point = await folder.resumePoint(originOf(run));
    if (point !== null) await restore(engine, point);
    await folder.resume(point?.history ?? [], { publishAs: name });
    const past = point ?? undefined;
    return await carryOut({ folder, engine, teacher, dataset, data, runsDirectory, modelsDirectory, past }, observer);
  } finally {
    await engine.dispose();
  }
}

/**
 * The faults that would show hours later, found before: `invalid-recipe` for a network that is too large,
 * `invalid-configuration` for folders that cannot be written, and those of the teacher's file, which it resolves to.
 */
export async function prepareTraining(
  recipe: Recipe,
  runsDirectory: string,
  publish: TrainingRequest['publish'],
): Promise<Uint8Array | null> {
  refuseTooLarge(recipe);
  await requireWritable(runsDirectory, 'RUNS_DIR');
  if (publish !== null) await requireWritable(join(publish.modelsDirectory, publish.name), 'MODELS_DIR');
  return recipe.distillation && (await readTeacher(recipe.distillation));
}

/** `run-finished` for a run that has nothing left to do. */
export function refuseFinished({ run, directory }: RunFolder): void {
  if (run.state !== 'finished') return;
  throw new DomainError(
    'run-finished',
    `Run ${run.id} is finished; its model is in ${directory}. It can be published.`,
  );
}

interface Work {
  folder: RunFolder;
  engine: TrainingEngine;
  /** The file of the teacher that the recipe names, if it names one. */
  teacher: Uint8Array | null;
  dataset: Dataset;
  data: ReturnType<typeof trainingData>;
  runsDirectory: string;
  modelsDirectory: string | undefined;
  past?: Past | undefined;
}

/** From the first step, or the first after `past`, to the end of the run. */
async function carryOut(work: Work, observer: TrainingObserver): Promise<TrainingResult> {
  const { folder, engine, dataset, data, past } = work;
  const { signal, onRun, onProgress, onEpoch } = observer;
  const { recipe, job } = folder.run;
  const origin = originOf(folder.begunRun);
  const endNow = () => folder.endNow();
  process.once('exit', endNow);
  try {
    onRun?.(folder.run, folder.directory);
    const fitted = await fitWithTeacher(work, {
      past,
      ...(signal === undefined ? {} : { signal }),
      onProgress: (progress) => {
        folder.addStep(progress);
        onProgress?.(progress);
      },
      onCheckpoint: (end) => folder.prepareCheckpoint(origin, end),
      onEpoch: async (report) => {
        await folder.addEpoch(report);
        onEpoch?.(report);
        pauseAfter(report.epoch, job?.untilEpoch ?? null, recipe);
      },
    });
    await folder.update({ bestEpoch: fitted.bestEpoch });
    refuseInterrupted(signal, 'before the export');
    await recordTestLook(work.runsDirectory, { run: folder.run.id, recipe: recipe.name });
    const exported = await exportModel(engine, { run: folder.begunRun, fitted, data, dataset });
    refuseInterrupted(signal, 'during the export');
    await writeExport(folder, exported);
    const published = await publish(work, exported);
    if (published !== null) await folder.update({ published: { name: published.name, version: published.version } });
    await folder.end('finished');
    return {
      run: folder.begunRun,
      directory: folder.directory,
      history: fitted.history,
      manifest: exported.manifest,
      published,
    };
  } catch (thrown) {
    const error = withReason(storageError(thrown, folder.directory), signal);
    await endUnfinished(folder, error);
    throw error;
  } finally {
    process.off('exit', endNow);
  }
}

/** `fit` with the recipe's teacher, which is in memory no longer than it is needed. */
async function fitWithTeacher({ folder, engine, teacher: file, data }: Work, options: FitOptions): Promise<FitResult> {
  const { recipe } = folder.run;
  if (file === null || recipe.distillation === null) return fit(engine, data, recipe, options);
  const teacher = await Teacher.open(file, recipe.distillation);
  try {
    return await fit(engine, data, recipe, { ...options, teacher });
  } finally {
    await teacher.release();
  }
}

function originOf({ recipe, data, engine }: BegunRun): Origin {
  const { name, device, software } = engine;
  return { recipe, data: data.digest, limit: data.limit, engine: name, device, software };
}

/** What is loaded and built now must be what the run was made with. */
function requireSame({ id }: Run, field: string, expected: string, found: string): void {
  if (found === expected) return;
  const message = `Run ${id} cannot go on to the same bits: ${field}: expected ${expected}, found ${found}.`;
  throw new DomainError('invalid-checkpoint', message);
}

/** Another version of a runtime may add numbers up in another order. A run from before versions were kept goes on. */
function requireSameSoftware(run: BegunRun): void {
  const here = computingSoftware(run.engine.name);
  for (const [name, version] of Object.entries(run.engine.software ?? {})) {
    requireSame(run, `software.${name}`, version, here[name] ?? 'nothing');
  }
}

async function restore(engine: TrainingEngine, { state }: ResumePoint): Promise<void> {
  try {
    await engine.restore(state);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DomainError('invalid-checkpoint', `The checkpoint is of another network: ${cause.message}`, { cause });
  }
}

/** The digests last: what has them is whole. */
async function writeExport(folder: RunFolder, { model, files, manifest }: ExportedModel): Promise<void> {
  const contents = { 'model.onnx': model, ...files, 'manifest.json': jsonFile(manifest) };
  const digests: Record<string, string> = {};
  for (const [path, data] of Object.entries(contents)) {
    await folder.write(path, data);
    digests[path] = digestOf(typeof data === 'string' ? Buffer.from(data) : data);
  }
  await folder.update({ digests });
}

/**
 * The version that this run became: the one that it was published as before it was cut short and resumed, else a new one.
 * Null where it is not to be published, and where its version was taken away since.
 */
async function publish({ folder, modelsDirectory }: Work, exported: ExportedModel): Promise<PublishedVersion | null> {
  const { publishAs, published, job } = folder.run;
  if (publishAs === null || modelsDirectory === undefined) return null;
  if (published !== null) {
    const { versions } = await listVersions(modelsDirectory);
    return versions.find(({ name, version }) => name === published.name && version === published.version) ?? null;
  }
  try {
    // Nobody looks at the figures of a run that a service attends to before it is published.
    if (job !== null) await requireNotWorse(modelsDirectory, publishAs, exported.manifest);
  } catch (error) {
    if (!hasCode(error, 'worse-than-published')) throw error;
    await folder.update({ unpublished: { code: error.code, message: error.message } });
    return null;
  }
  return (await publishOnce(modelsDirectory, publishAs, exported)).version;
}

/** A training that was interrupted for a reason that is an error of ours says so. */
function withReason(error: unknown, signal: AbortSignal | undefined): unknown {
  const reason: unknown = signal?.reason;
  if (!(hasCode(error, 'training-interrupted') && reason instanceof DomainError)) return error;
  return new DomainError(reason.code, `${reason.message} ${error.message}`, { cause: error });
}

/** The run says why, where it is still ours and can be written. */
async function endUnfinished(folder: RunFolder, error: unknown): Promise<void> {
  const code = error instanceof DomainError ? error.code : 'internal';
  if (code === 'run-in-use') return; // another process took it over
  const isCutShort = code === 'training-interrupted' || code === 'training-crashed';
  try {
    const cancelled = isCutShort ? await readCancelRequest(folder.directory) : null;
    if (cancelled !== null) await folder.cancel(cancelled);
    else await folder.end(isCutShort ? 'interrupted' : 'failed', { code, message: messageOf(error) });
  } catch (fault) {
    const message = `${messageOf(error)} The run could not say so: ${messageOf(fault)}`;
    throw new DomainError(error instanceof DomainError ? error.code : 'internal', message, { cause: error });
  }
}

/** Ends for now a trial whose search compares it with others first. */
function pauseAfter(epoch: number, untilEpoch: number | null, { epochs }: Recipe): void {
  if (untilEpoch === null || epoch < untilEpoch || epoch >= epochs) return;
  throw new DomainError('training-interrupted', `Paused after epoch ${epoch}, where its search compares trials.`);
}

function refuseInterrupted(signal: AbortSignal | undefined, when: string): void {
  if (signal?.aborted) throw new DomainError('training-interrupted', `Interrupted ${when}; nothing was published.`);
}
