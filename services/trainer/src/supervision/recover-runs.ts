import { hasCode } from '@atelier/domain';
import type { RunStore, StoredRun } from '../runs/run-store.ts';
import { isFinal } from '../runs/run-states.ts';
import { withRunFolder } from '../runs/with-run-folder.ts';
import { isPaused, settleRun } from './settle-run.ts';

/**
 * Finds every run that nobody works on although it has not ended: whatever was killed. Resolves to the ids of those that
 * want a worker, the oldest first; only runs that are `isWanted` are looked at. A run that another
 * process works on is left alone, and one that cannot be settled is told to `onFault`.
 */
export async function recoverRuns(
  store: RunStore,
  isWanted: (run: StoredRun) => boolean,
  onFault: (run: StoredRun, error: unknown) => void,
): Promise<string[]> {
  const waiting: string[] = [];
  for (const stored of (await store.list()).reverse()) {
    if (isFinal(stored.state) || !isWanted(stored)) continue;
    if (stored.state === 'queued') {
      if (stored.run?.job != null) waiting.push(stored.id);
    } else if (wantsSettling(stored)) {
      try {
        const settled = await withRunFolder(stored.directory, 0, (folder) => settleRun(folder, null));
        if (settled === 'waiting') waiting.push(stored.id);
      } catch (error) {
        if (!hasCode(error, 'run-in-use')) onFault(stored, error);
      }
    }
  }
  return waiting;
}

/** A run that was interrupted and is not ours to resume stays so. */
function wantsSettling({ state, run }: StoredRun): boolean {
  return run !== null && (state === 'running' || (run.job !== null && !isPaused(run)));
}
