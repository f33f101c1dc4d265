import { join } from 'node:path';
import { hasCode } from '@atelier/domain';
import { readHistory } from '../runs/history.ts';
import type { StoredRun } from '../runs/run-store.ts';
import { isPaused } from '../supervision/settle-run.ts';
import type { Trainer } from '../supervision/trainer.ts';
import type { Search } from './search.ts';
import type { TrialLook, TrialRuns } from './trial-runs.ts';

/** Trials as runs of a trainer: they wait, are taken up after a crash and cancelled like any other run. */
export function runsOfTrainer(trainer: Trainer, { engine, device, limit }: Search['request']): TrialRuns {
  return {
    async launch(recipe, untilEpoch, trial) {
      const { stored } = await trainer.submit({
        recipe,
        request: { engine, device, threads: null, limit },
        publish: false,
        trial,
        untilEpoch,
      });
      return stored.id;
    },
    async goOn(run, untilEpoch) {
      await trainer.resume(run, untilEpoch);
    },
    async look(run) {
      const stored = await trainer.store.find(run).catch(nullWhereDeleted);
      return stored && lookAt(stored);
    },
    async stop(run, reason) {
      await trainer.cancel(run, reason).catch((error: unknown) => {
        if (!hasCode(error, 'illegal-transition', 'run-not-found')) throw error; // it ended meanwhile
      });
    },
  };
}

/**
 * What was seen of a run while its `run.json` is the same, which is written after each line of the history: a search looks
 * several times a second, and a history may have ten thousand lines.
 */
const seen = new WeakMap<StoredRun, TrialLook>();

async function lookAt(stored: StoredRun): Promise<TrialLook> {
  const before = seen.get(stored);
  if (before !== undefined) return before;
  const look = await lookAnew(stored);
  seen.set(stored, look);
  return look;
}

async function lookAnew({ directory, run }: StoredRun): Promise<TrialLook> {
  if (run === null) return { standing: 'failed', untilEpoch: 0, validation: [], seconds: 0 };
  const history = await readHistory(join(directory, 'history.ndjson'));
  const isOutstanding = run.state === 'queued' || run.state === 'running' || run.state === 'interrupted';
  return {
    standing: isPaused(run) ? 'paused' : isOutstanding ? 'outstanding' : endOf(run.state),
    untilEpoch: run.job?.untilEpoch ?? run.recipe.epochs, // without one, somebody wanted the whole run
    validation: history.map(({ epoch, validation }) => ({ epoch, ...validation })),
    seconds: history.reduce((sum, epoch) => sum + epoch.seconds, 0),
  };
}

function endOf(state: StoredRun['state']): 'finished' | 'failed' | 'cancelled' {
  return state === 'finished' || state === 'cancelled' ? state : 'failed';
}

function nullWhereDeleted(error: unknown): null {
  if (hasCode(error, 'run-not-found')) return null;
  throw error;
}
