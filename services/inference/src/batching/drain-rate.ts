import { type Clock, SYSTEM_CLOCK } from './clock.ts';

/** Completions are counted over spans of at least this many ms. */
const SPAN_MS = 100;

/** Weight of the newest span: what was measured 10 spans ago counts for a tenth. */
const WEIGHT = 0.2;

/** How fast things are done while there is something to do: an exponentially weighted mean over busy spans. */
export class DrainRate {
  readonly #clock: Clock;
  #perMs: number | undefined;
  #done = 0;
  #spanStart: number | undefined;

  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /** `count` things are done, and `left` still wait or are being done. Idle time is none of the rate. */
  completed(count: number, left: number): void {
    const now = this.#clock.now();
    this.#spanStart ??= now;
    this.#done += count;
    const spanMs = now - this.#spanStart;
    if (spanMs >= SPAN_MS) {
      const measured = this.#done / spanMs;
      this.#perMs = this.#perMs === undefined ? measured : (1 - WEIGHT) * this.#perMs + WEIGHT * measured;
      this.#done = 0;
      this.#spanStart = now;
    }
    if (left === 0) {
      this.#done = 0;
      this.#spanStart = undefined;
    }
  }

  /** Something has come to a thing that had nothing to do. */
  began(): void {
    this.#spanStart ??= this.#clock.now();
  }

  /** How long `count` things will take, in ms; 0 before anything was measured. */
  expectedMs(count: number): number {
    return this.#perMs === undefined || this.#perMs === 0 ? 0 : count / this.#perMs;
  }
}
