import type { Recipe } from '@atelier/domain';
import type { Validation } from './score.ts';

/** What a run shows of a trial. */
export interface TrialLook {
  /** `outstanding`: queued or running. `paused`: interrupted at its `untilEpoch`. */
  standing: 'outstanding' | 'paused' | 'finished' | 'failed' | 'cancelled';
  untilEpoch: number;
  /** Of every epoch so far. */
  validation: Validation[];
  /** Training alone. */
  seconds: number;
}

/** What a search needs of the runs. */
export interface TrialRuns {
  /**
   * Makes an ordinary run that waits in the queue and pauses after `untilEpoch`; resolves to its id. Once more for the
   * same `trial` it makes no second run and resolves to the first one's id: a search that was killed before it wrote the
   * id down asks again. `queue-full`, `queue-unavailable` and `disk-full` mean: later.
   */
  launch(recipe: Recipe, untilEpoch: number, trial: { search: string; number: number }): Promise<string>;
  /** Queues a paused run again, up to `untilEpoch`. They mean the same as above. */
  goOn(run: string, untilEpoch: number): Promise<void>;
  /** Null where the run was deleted; a damaged one has `failed`. */
  look(run: string): Promise<TrialLook | null>;
  /** Ends a paused or outstanding run, with why; one that ended meanwhile stays as it is. */
  stop(run: string, reason: string): Promise<void>;
}
