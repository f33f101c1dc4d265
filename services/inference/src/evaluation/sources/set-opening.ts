import type { BulkTurns } from '../bulk-turns.ts';
import type { SetLimits } from '../limits.ts';
import type { Scratch } from '../scratch.ts';

/** What it takes to open a set beside its files. */
export interface SetOpening {
  limits: SetLimits;
  scratch: Scratch;
  /** Between the steps of long work, each of some milliseconds at most, others have theirs. */
  turns: BulkTurns;
  /** Nobody wants the set any more. */
  signal: AbortSignal;
}
