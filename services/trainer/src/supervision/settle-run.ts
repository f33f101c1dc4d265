import { DomainError, hasCode } from '@atelier/domain';
import { readCancelRequest } from '../runs/cancel-request.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { isFinal } from '../runs/run-states.ts';
import type { Run } from '../runs/run.ts';

/** How often a run is resumed by itself after a crash. */
export const MAXIMUM_RECOVERIES = 3;

/** What is to be done with a run that nobody works on. */
export type Settled = 'over' | 'waiting';

/**
 * Brings a run that nobody works on into a state to stay in: it waits, it is paused, or it has ended. `error` is what the
 * attempt to train ended with, or null where there was none or nobody knows, and `recoveriesBefore` what the run counted when
 * that attempt began. `waiting` says that it wants a worker.
 */
export async function settleRun(folder: RunFolder, error: Error | null, recoveriesBefore = Infinity): Promise<Settled> {
  const { run, directory } = folder;
  if (isFinal(run.state)) return 'over';
  const cancelled = await readCancelRequest(directory);
  if (cancelled !== null) {
    await folder.cancel(cancelled);
    return 'over';
  }
  const crash = crashOf(run, error);
  if (run.state === 'running') await folder.end('interrupted', crash);
  if (run.job === null || isPaused(folder.run)) return 'over'; // its owner goes on with it
  // Whoever looked for lost runs in the meantime has settled this crash already.
  if (run.state === 'queued' && run.job.recoveries > recoveriesBefore) return 'waiting';
  if (crash !== null) return recover(folder, run.job, crash);
  if (error !== null && !hasCode(error, 'training-interrupted')) {
    await folder.end('failed', {
      code: error instanceof DomainError ? error.code : 'internal',
      message: error.message,
    });
    return 'over';
  }
  if (run.state === 'interrupted') await folder.queueAgain(run.job); // the service was stopped
  return 'waiting';
}

/** Whether a trial has come to where its search compares it with others. */
export function isPaused({ state, epochs, job }: Run): boolean {
  return state === 'interrupted' && job !== null && job.untilEpoch !== null && epochs >= job.untilEpoch;
}

async function recover(
  folder: RunFolder,
  job: NonNullable<Run['job']>,
  crash: { code: string; message: string },
): Promise<Settled> {
  if (job.recoveries < MAXIMUM_RECOVERIES) {
    if (folder.run.state === 'queued') await folder.end('interrupted', crash);
    await folder.queueAgain({ ...job, recoveries: job.recoveries + 1 });
    return 'waiting';
  }
  const message = `Resumed ${MAXIMUM_RECOVERIES} times after a crash, and it crashed again: ${crash.message}`;
  await folder.end('failed', { code: crash.code, message });
  return 'over';
}

/** What the run's process crashed by, where it did. */
function crashOf({ state, error: recorded }: Run, error: Error | null): { code: string; message: string } | null {
  if (hasCode(error, 'training-crashed')) return { code: error.code, message: error.message };
  if (state === 'running')
    return { code: 'training-crashed', message: 'The process that trained ended without a result.' };
  return state === 'interrupted' && recorded?.code === 'training-crashed' ? recorded : null;
}
