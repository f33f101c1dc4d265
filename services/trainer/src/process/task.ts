import { DomainError, messageOf, type Recipe } from '@atelier/domain';
import { type Dataset, type DownloadProgress, loadFashionMnist } from '@atelier/fashion-mnist';
import { chooseEngine, refuseThreads } from '../engines/choose-engine.ts';
import type { DeviceChoice, EngineChoice } from '../engines/devices.ts';
import { findRun, RunFolder } from '../runs/run-folder.ts';
import { type BegunRun, isBegun, type Run, type RunRequest } from '../runs/run.ts';
import { readSourceModel } from '../source/source-model.ts';
import {
  prepareTraining,
  refuseFinished,
  resume,
  train,
  type TrainingObserver,
  type TrainingResult,
} from '../train.ts';

/** What to train, in words that another process understands. */
export interface TrainingTask {
  work:
    | {
        kind: 'new';
        recipe: Recipe;
        /** The ONNX file of a trained model to go on from; default: none. */
        from?: string | null;
        engine: EngineChoice;
        device: DeviceChoice;
        /** Of the ONNX engine on the CPU; default: one for each core that the process may use. */
        threads?: number | null;
        limit: number | null;
      }
    /** A run by its id or folder, which goes on from where it is, or begins where it only waited. */
    | { kind: 'resume'; run: string };
  /** Where the data set is, or may be kept; see `DatasetOptions`. */
  dataset: { directory: string | undefined; cacheDirectory: string };
  runsDirectory: string;
  modelsDirectory: string;
  /** The model to publish as, or null; a run that is resumed is published where it was asked to be, too. */
  publishAs: string | null;
}

export interface TaskObserver extends TrainingObserver {
  /** A sentence for people: the engine, the source of the data, what takes long. */
  onNotice?: (message: string) => void;
  onDownload?: (progress: DownloadProgress) => void;
}

/**
 * Chooses the engine, loads the data set, trains and writes the report. What can be refused without the data set, such as a
 * folder that cannot be written, a teacher that is missing or a finished run, is refused before it is loaded.
 */
export async function performTask(task: TrainingTask, observer: TaskObserver = {}): Promise<TrainingResult> {
  const { work, runsDirectory, modelsDirectory, publishAs } = task;
  if (work.kind === 'new') {
    const publish = publishAs === null ? null : { modelsDirectory, name: publishAs };
    await prepareTraining(work.recipe, runsDirectory, publish);
    const source = await announcedSource(work, observer);
    const engine = await announcedEngine(work, observer);
    refuseThreads(engine, work.threads ?? null);
    const dataset = await announcedDataset(task, observer);
    const { recipe, limit, threads = null } = work;
    const result = await train({ recipe, source, engine, threads, dataset, limit, runsDirectory, publish }, observer);
    await announcedReport(result, dataset, observer);
    return result;
  }
  const folder = await RunFolder.open(await findRun(runsDirectory, work.run));
  try {
    refuseFinished(folder);
    const { run } = folder;
    const name = run.publishAs ?? publishAs;
    const publish = name === null ? null : { modelsDirectory, name };
    await prepareTraining(run.recipe, runsDirectory, publish);
    const engine = await announcedEngine(isBegun(run) ? ofBefore(run) : asked(run), observer);
    const dataset = await announcedDataset(task, observer);
    const result = isBegun(run)
      ? await resume({ folder, engine, dataset, runsDirectory, modelsDirectory, publishAs }, observer)
      : await train(
          { ...asked(run), recipe: run.recipe, engine, dataset, runsDirectory, publish, waiting: folder },
          observer,
        );
    await announcedReport(result, dataset, observer);
    return result;
  } finally {
    await folder.release();
  }
}

/** A run goes on where it began. */
function ofBefore({ engine }: BegunRun): Pick<RunRequest, 'engine' | 'device'> {
  return { engine: engine.name, device: engine.kind };
}

function asked({ id, request }: Run): RunRequest {
  if (request !== null) return request;
  throw new DomainError('invalid-run', `Run ${id} has not begun and does not say with which engine it should.`);
}

async function announcedSource({ from, recipe }: { from?: string | null; recipe: Recipe }, { onNotice }: TaskObserver) {
  if (from === undefined || from === null) return null;
  const source = await readSourceModel(from, recipe);
  onNotice?.(`Weights: ${source.file} (${source.digest})`);
  return source;
}

async function announcedEngine(choice: { engine: EngineChoice; device: DeviceChoice }, { onNotice }: TaskObserver) {
  const engine = await chooseEngine(choice.engine, choice.device);
  onNotice?.(`Engine: ${engine.reason}`);
  return engine;
}

async function announcedDataset({ dataset }: TrainingTask, observer: TaskObserver): Promise<Dataset> {
  const { signal, onNotice, onDownload: onProgress } = observer;
  const loaded = await loadFashionMnist({ ...dataset, signal, onNotice, onProgress }).catch((cause: unknown) => {
    if (!signal?.aborted) throw cause;
    throw new DomainError('training-interrupted', 'Interrupted before the training began.', { cause });
  });
  onNotice?.(`Data: ${loaded.source}`);
  return loaded;
}

/** The model is complete by now: a report that cannot be written is said, and takes nothing from the run. */
async function announcedReport({ run, directory }: TrainingResult, dataset: Dataset, { onNotice }: TaskObserver) {
  try {
    const { writeReport } = await import('../report/write-report.ts'); // as long to load as all the rest together
    onNotice?.(`Report: ${(await writeReport(directory, dataset)).path}`);
  } catch (error) {
    const again = `The model is complete; try again with: npm run report -- ${run.id}`;
    onNotice?.(`Report: could not be written: ${messageOf(error)} ${again}`);
  }
}
