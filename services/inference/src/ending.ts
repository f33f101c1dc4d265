import { setTimeout } from 'node:timers/promises';
import { messageOf } from '@atelier/domain';
import type { Log } from '@atelier/http';

export interface StepOptions {
  /** The most that it may take of the whole time. */
  limitMs?: number;
  /** Whether it is clients who are waited for: to be cut off for their slowness is no fault of an end. */
  waitsForClients?: boolean;
}

/** The steps of an end, which have one time together, whatever each may take. */
export class Ending {
  readonly #deadline: number;
  readonly #log: Log;
  readonly #unfinished: string[] = [];

  /** The time runs from now. */
  constructor(limitMs: number, log: Log) {
    this.#deadline = performance.now() + limitMs;
    this.#log = log;
  }

  /**
   * Waits for a step, at most `limitMs` and what is left of the whole; then, or when it fails, the end goes on without it.
   */
  async step(
    what: string,
    task: Promise<unknown>,
    { limitMs = Infinity, waitsForClients = false }: StepOptions = {},
  ): Promise<void> {
    const ms = Math.max(0, Math.min(limitMs, this.#deadline - performance.now()));
    const over = new AbortController();
    // Referenced: nothing else may keep the process, which is to say what did not end.
    const late = setTimeout(ms, true, { signal: over.signal }).catch(() => false);
    try {
      const isLate = await Promise.race([task.then(() => false), late]);
      if (isLate === true && waitsForClients) this.#log.warn(`Cut off what clients had not ended: ${what}`);
      else if (isLate === true) this.#unfinished.push(what);
    } catch (error) {
      this.#unfinished.push(`${what} (${messageOf(error)})`);
    } finally {
      over.abort();
    }
  }

  /** Throws where a step did not end by itself, and names it. */
  requireWhole(): void {
    if (this.#unfinished.length === 0) return;
    throw new Error(`Not everything ended by itself; broken off: ${this.#unfinished.join(', ')}.`);
  }
}
