import { setImmediate } from 'node:timers/promises';
import type { OnlineTraffic } from '../batching/online-traffic.ts';

/** Images of a step while nobody else is here: a whole batch. */
const FULL_STEP = 64;

/** While others are here: about half a millisecond of the model or of the decoder. */
const SMALL_STEP = 8;

/** Where requests leave no pause, a step is made every so often: an evaluation is slow then, and comes to its end. */
const MAXIMUM_WAIT_MS = 25;

/**
 * Gives the steps of evaluations their turns. While nobody waits for an answer they are large and run beside each other; while
 * requests come they are small, one at a time over all evaluations, and fall into the pauses between requests.
 */
export class BulkTurns {
  readonly #traffic: OnlineTraffic;
  #last: Promise<unknown> = Promise.resolve();

  constructor(traffic: OnlineTraffic) {
    this.#traffic = traffic;
  }

  /** Runs `task` when it is its turn; it may take so many images. */
  run<T>(task: (images: number) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (!this.#traffic.isRecent) return task(FULL_STEP);
    const turn = this.#last.then(async () => {
      signal?.throwIfAborted();
      await this.#traffic.pause(MAXIMUM_WAIT_MS, signal);
      return task(SMALL_STEP);
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Between two steps, of some milliseconds each, that the thread which serves makes itself: whoever waits for it comes first.
   * Rejects with the reason of `signal`.
   */
  async pause(signal?: AbortSignal): Promise<void> {
    await setImmediate();
    signal?.throwIfAborted();
    await this.run(() => Promise.resolve(), signal);
  }

  /** All of `items`, in steps of which each has its turn; the results in their order. */
  async eachStep<Item, Result>(
    items: readonly Item[],
    task: (step: readonly Item[]) => Promise<readonly Result[]>,
    signal?: AbortSignal,
  ): Promise<Result[]> {
    const results: Result[] = [];
    for (let start = 0; start < items.length;) {
      await this.run(async (count) => {
        const step = items.slice(start, start + count);
        results.push(...(await task(step)));
        start += step.length;
      }, signal);
    }
    return results;
  }
}
