import { join } from 'node:path';
import { DomainError, hasCode } from '@atelier/domain';
import type { TrainingTask } from '../process/task.ts';
import { trainInProcess } from '../process/training-process.ts';
import { readCancelRequest } from '../runs/cancel-request.ts';
import { readRun } from '../runs/run-folder.ts';
import { withRunFolder } from '../runs/with-run-folder.ts';
import { RunLog } from './run-log.ts';
import { settleRun } from './settle-run.ts';

export interface AttendOptions {
  runsDirectory: string;
  modelsDirectory: string;
  dataset: TrainingTask['dataset'];
  /** Of training processes: they give way to the service that watches them. */
  niceness: number;
  /** What a training may take to end once it is to, before it is killed, in ms. */
  graceMs: number;
}

/** How often we look whether somebody wants the run cancelled, in ms. */
const CANCEL_POLL_MS = 250;

/** How long another process may keep the folder while it only looks at it, in ms. */
const LOCK_PATIENCE_MS = 2_000;

/** `waiting`: it is to be attended to again. `busy`: another process has its folder. */
export type Attended = 'over' | 'waiting' | 'busy';

/**
 * Trains a run that waits in a process of its own, and brings it into a state to stay in, however that ends. What the
 * process says and writes goes into the run's `log.txt`. Aborting `signal` interrupts it; it waits again then.
 */
export async function attendRun(id: string, options: AttendOptions, signal: AbortSignal): Promise<Attended> {
  const directory = join(options.runsDirectory, id);
  const before = await settle(directory, null);
  if (before !== 'waiting' || signal.aborted) return before;
  const recoveriesBefore = (await readRun(directory)).job?.recoveries;
  const error = await trained(id, directory, options, signal).catch((thrown: unknown) => thrown as Error);
  if (hasCode(error, 'run-in-use')) return 'busy';
  return settle(directory, error, recoveriesBefore);
}

async function settle(directory: string, error: Error | null, recoveriesBefore?: number): Promise<Attended> {
  try {
    return await withRunFolder(directory, LOCK_PATIENCE_MS, (folder) => settleRun(folder, error, recoveriesBefore));
  } catch (fault) {
    if (hasCode(fault, 'run-in-use')) return 'busy';
    throw fault;
  }
}

/** What the training ended with; null where it was finished. */
async function trained(
  id: string,
  directory: string,
  { runsDirectory, modelsDirectory, dataset, niceness, graceMs }: AttendOptions,
  signal: AbortSignal,
): Promise<Error | null> {
  const log = await RunLog.open(directory);
  const cancellation = new AbortController();
  const watch = setInterval(() => {
    void readCancelRequest(directory)
      .then((reason) => {
        if (reason !== null) cancellation.abort();
      })
      .catch(() => undefined); // asked again soon
  }, CANCEL_POLL_MS);
  try {
    await trainInProcess(
      { work: { kind: 'resume', run: id }, dataset, runsDirectory, modelsDirectory, publishAs: null },
      { signal: AbortSignal.any([signal, cancellation.signal]), onNotice: (message) => log.write(message) },
      { output: log.descriptor, graceMs, niceness },
    );
    return null;
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    log.write(error instanceof DomainError ? `${error.message} (${error.code})` : (error.stack ?? error.message));
    return error;
  } finally {
    clearInterval(watch);
    await log.close();
  }
}
