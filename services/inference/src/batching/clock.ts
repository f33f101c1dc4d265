/** Time, as batching needs it; tests have one of their own. */
export interface Clock {
  /** In ms, as `performance.now` counts. */
  now(): number;
  /** Runs `task` in `delayMs`; the answer calls it off. */
  after(delayMs: number, task: () => void): () => void;
  /** Runs `task` when what has already arrived has been taken in. */
  soon(task: () => void): void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (task) => void setImmediate(task),
};
