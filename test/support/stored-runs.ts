import { type EpochReport, type RunFolder as Folder, RunFolder, type Run, type RunState } from '@atelier/trainer';
import { smallRecipe } from './small-recipe.ts';

type Job = NonNullable<Run['job']>;

/** What a run is asked for with; what is left out is a small recipe and a job without anything particular. */
export interface StoredRunChange {
  recipe?: Run['recipe'];
  /** Null for a run of the command line. */
  job?: Partial<Job> | null;
}

/** A run that waits, in a folder that the caller holds. */
export function createRun(runsDirectory: string, { recipe, job = {} }: StoredRunChange = {}): Promise<Folder> {
  return RunFolder.create(runsDirectory, {
    recipe: recipe ?? smallRecipe(),
    request: { engine: 'onnx', device: 'cpu', threads: 1, limit: 1000 },
    job: job && {
      queuedAt: new Date().toISOString(),
      recoveries: 0,
      untilEpoch: null,
      trial: null,
      idempotency: null,
      ...job,
    },
    publishAs: null,
  });
}

/** What a run on the CPU says when its training begins. */
export const BEGINNING: Parameters<Folder['begin']>[0] = {
  engine: { name: 'onnx', kind: 'cpu', device: 'cpu, 1 thread', threads: 1, software: null, reason: 'the test' },
  data: { digest: `sha256:${'0'.repeat(64)}`, source: 'drawn', limit: null },
};

/** One that trains, in a folder that the caller holds. */
export async function beginRun(runsDirectory: string, change: StoredRunChange = {}): Promise<Folder> {
  const folder = await createRun(runsDirectory, change);
  await folder.begin(BEGINNING);
  return folder;
}

/** One in `state` that nobody works on. Its id and its folder. */
export async function runIn(state: RunState, runsDirectory: string, change: StoredRunChange = {}) {
  const folder = await (state === 'queued' ? createRun : beginRun)(runsDirectory, change);
  if (state === 'failed' || state === 'interrupted')
    await folder.end(state, { code: 'internal', message: 'For a test' });
  else if (state === 'finished' || state === 'cancelled') await folder.end(state);
  await folder.release();
  return { id: folder.run.id, directory: folder.directory };
}

/** What an epoch came to, somehow. */
export function epochReport(epoch: number, change: Partial<EpochReport> = {}): EpochReport {
  return {
    epoch,
    trainingLoss: 1 / epoch,
    training: { loss: 0.5, accuracy: 0.75 },
    validation: { loss: 0.625, accuracy: 0.875 },
    learningRate: 0.01,
    imagesPerSecond: 4000,
    seconds: 0.2,
    preparationSeconds: 0,
    evaluationSeconds: 0.1,
    checkpointSeconds: 0,
    ...change,
  };
}

/** Ends an epoch of a run that trains, with a checkpoint from which no engine can go on. */
export async function endEpoch(folder: Folder, report: EpochReport): Promise<void> {
  const { recipe, engine, data } = folder.begunRun;
  const { epoch } = report;
  const nothing = { value: null, epochsSince: 0 };
  await folder.prepareCheckpoint(
    { recipe, data: data.digest, limit: data.limit, engine: engine.name, device: engine.device, software: null },
    {
      standing: { epoch, reductions: 0, plateau: nothing, monitored: nothing, bestEpoch: null },
      state: { steps: epoch, tensors: {} },
    },
  );
  await folder.addEpoch(report);
}
