import { setTimeout } from 'node:timers/promises';
import { messageOf } from '@atelier/domain';

/** The steps of an end, which have one time together, whatever each may take. */
export class Ending {
  readonly #deadline: number;
  readonly #unfinished: string[] = [];

  /** The time runs from now. */
  constructor(limitMs: number) {
    this.#deadline = performance.now() + limitMs;
  }

  /**
   * Waits for a step, at most `limitMs` and what is left of the whole; then, or when it fails, the end goes on without it.
   */
  async step(what: string, task: Promise<unknown>, limitMs = Infinity): Promise<void> {
    const ms = Math.max(0, Math.min(limitMs, this.#deadline - performance.now()));
    const over = new AbortController();
    // Referenced: nothing else may keep the process, which is to say what did not end.
    const late = setTimeout(ms, true, { signal: over.signal }).catch(() => false);
    try {
      if ((await Promise.race([task.then(() => false), late])) === true) this.#unfinished.push(what);
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
