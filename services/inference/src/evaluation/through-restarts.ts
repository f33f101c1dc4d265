import { setTimeout } from 'node:timers/promises';
import { hasCode } from '@atelier/domain';

/** An engine is replaced in a second, and in ten where the machine has no time for it; after this nobody believes in it. */
const LIMIT_MS = 60_000;

/** Between two attempts: nobody waits for milliseconds of an evaluation. */
const PAUSE_MS = 200;

/**
 * What `step` makes, also where the engine is lost over it or is being replaced: then it is made again, because minutes of work lie
 * behind it that somebody would have to begin anew. Rejects with the last failure after a minute of them, with any other failure
 * at once, and with the reason of `signal`.
 */
export async function throughRestarts<T>(step: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const isPassing = hasCode(error, 'engine-lost') || hasCode(error, 'not-ready');
      if (!isPassing || performance.now() > end) throw error;
      await setTimeout(PAUSE_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
