/**
 * Hands the ids of runs that wait to whoever has time for one. The runs themselves, and with them the truth, lie in their
 * folders: what a queue loses is added again. A run may be handed out twice after a crash, so whoever attends to one takes
 * its folder's lock first.
 */
export interface RunQueue {
  /**
   * Adds a run behind the others, unless it waits already. What is attended to is handed out once more afterwards, however
   * often it was added meanwhile: it may be its attendant who wants it again.
   */
  add(id: string): Promise<void>;
  /** Takes a run that waits out again; nothing happens where it does not wait. */
  remove(id: string): Promise<void>;
  /** How many runs wait, the busy ones among them; those that are attended to do not count. */
  length(): Promise<number>;
  /** Works off the queue, at most `concurrency` runs at a time, oldest first. */
  work(concurrency: number, attend: Attend): Promise<QueueWorker>;
  /** Gives connections back; workers are closed before. */
  close(): Promise<void>;
}

/**
 * Brings a run to its end, or as far as it comes before `signal` aborts. `done`: nothing is left to do for now. `busy`:
 * another process has the run's folder, so it has to be asked for again after a while. A rejection counts as `done`, and
 * the worker goes on with the next.
 */
export type Attend = (id: string, signal: AbortSignal) => Promise<Outcome>;
export type Outcome = 'done' | 'busy';

export interface QueueWorker {
  /** Takes no further run, aborts those that are attended to, and resolves when they have ended. */
  close(): Promise<void>;
}

/** What every queue can be told. */
export interface RunQueueOptions {
  /** Milliseconds until a busy run is asked for again; 1000 unless told. */
  readonly busyDelayMs?: number;
  /** Told what the queue lives on with, in words for a log. */
  readonly onFault?: (message: string) => void;
}

export const BUSY_DELAY_MS = 1000;
