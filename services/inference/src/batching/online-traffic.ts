import { setTimeout } from 'node:timers/promises';

/** After the last request of a person or a program that waits for so long nobody is expected soon. */
const RECENT_MS = 1_000;

/** A pause in which a small step fits: requests that follow each other leave shorter ones. */
const QUIET_MS = 3;

/** So often one looks whether there is a pause. */
const LOOK_MS = 1;

/** Knows when requests come that somebody waits for, so that what can wait keeps out of their way. */
export class OnlineTraffic {
  #inFlight = 0;
  #lastAt = -Infinity;

  /** Counts a request from now until its task has ended. */
  async during<T>(task: () => Promise<T>): Promise<T> {
    this.#inFlight++;
    try {
      return await task();
    } finally {
      this.#inFlight--;
      this.#lastAt = performance.now();
    }
  }

  /** Whether one is here, or was here a moment ago and may not be the last. */
  get isRecent(): boolean {
    return this.#inFlight > 0 || performance.now() - this.#lastAt < RECENT_MS;
  }

  /** Resolves in a pause between requests, or after `maximumMs` where there is none. */
  async pause(maximumMs: number, signal?: AbortSignal): Promise<void> {
    const end = performance.now() + maximumMs;
    while (!this.#isQuiet && performance.now() < end) await setTimeout(LOOK_MS, undefined, { signal });
  }

  get #isQuiet(): boolean {
    return this.#inFlight === 0 && performance.now() - this.#lastAt >= QUIET_MS;
  }
}
