import { type Clock, SYSTEM_CLOCK } from './clock.ts';

/** What happened this long ago counts 1/e of what happens now, in ms of busy time. */
const MEMORY_MS = 1_000;

/** Before so much busy time was seen nothing is known: a start is slower than what follows. */
const LEAST_KNOWN_MS = 300;

/** How fast things are done while there is something to do: completions and busy time, both forgotten at one pace. */
export class DrainRate {
  readonly #clock: Clock;
  #completions = 0;
  #busyMs = 0;
  /** Until when busy time has been counted; undefined while there is nothing to do. */
  #countedUntil: number | undefined;

  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /** Something has come where there was nothing to do. */
  began(): void {
    this.#countedUntil = this.#clock.now();
  }

  /** `count` things are done, and `left` still wait or are being done. Idle time is none of the rate. */
  completed(count: number, left: number): void {
    const now = this.#clock.now();
    const sinceMs = now - (this.#countedUntil ?? now);
    const kept = Math.exp(-sinceMs / MEMORY_MS);
    this.#completions = this.#completions * kept + count;
    this.#busyMs = this.#busyMs * kept + sinceMs;
    this.#countedUntil = left === 0 ? undefined : now;
  }

  /** How long `count` things will take, in ms; 0 while nothing is known. */
  expectedMs(count: number): number {
    if (this.#busyMs < LEAST_KNOWN_MS || this.#completions === 0) return 0;
    return (count * this.#busyMs) / this.#completions;
  }
}
