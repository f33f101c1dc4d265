import { RetryLater } from '@atelier/http';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { DrainRate } from './drain-rate.ts';

export interface AdmissionLimits {
  /** Most images that are waited for at a time, over all requests, whether to be decoded or to be computed. */
  maximumQueue: number;
  /** Longest that an image may be expected to wait, at the rate of the last seconds, in ms. */
  maximumWaitMs: number;
}

export interface AdmissionOptions extends AdmissionLimits {
  /**
   * So many images are let in however long they are expected to wait: as many as all that work here have in hand at a time.
   * Under a flood the refusals take time that the work lacks; with a rate that sinks for that reason less and less would be
   * let in, until nothing but refusing is left.
   */
  alwaysTaken: number;
}

/** The longest that a client is told to stay away, in seconds: rates change. */
const MAXIMUM_RETRY_SECONDS = 60;

/**
 * One stage's waiting room, of the decoder or of the engines. What is refused here has cost next to nothing, and is
 * told when to come back; what is let in is answered in a time that its sender can expect.
 */
export class Admission {
  readonly #limits: AdmissionOptions;
  readonly #rate: DrainRate;
  #pending = 0;

  constructor(limits: AdmissionOptions, clock: Clock = SYSTEM_CLOCK) {
    this.#limits = limits;
    this.#rate = new DrainRate(clock);
  }

  /** Images that wait or are being worked on. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * How near what waits is to what would be refused, by the limit that it is nearer to: from 1 on nothing more is let in,
   * but for a large request where nothing waits.
   */
  get ratio(): number {
    const { maximumQueue, maximumWaitMs, alwaysTaken } = this.#limits;
    const ofQueue = this.#pending / maximumQueue;
    if (this.#pending < alwaysTaken) return ofQueue;
    return Math.max(ofQueue, this.#rate.expectedMs(this.#pending) / maximumWaitMs);
  }

  /** Throws `overloaded` where there is no room for one more: before its body is read. */
  check(count = 1): void {
    const { maximumQueue, maximumWaitMs, alwaysTaken } = this.#limits;
    const isFull = this.#pending > 0 && this.#pending + count > maximumQueue;
    const expectedMs = this.#rate.expectedMs(this.#pending);
    if (!isFull && (this.#pending < alwaysTaken || expectedMs <= maximumWaitMs)) return;
    const seconds = Math.min(MAXIMUM_RETRY_SECONDS, Math.max(1, Math.ceil(expectedMs / 1000)));
    throw new RetryLater('overloaded', `${this.#pending} images wait; come back in ${seconds} s.`, seconds);
  }

  /**
   * Lets `count` images in and runs `task` for them; throws `overloaded` as `check` does, unless they are `expected`:
   * the rest of a request of which some were let in before, whose work would be lost.
   */
  async enter<T>(count: number, task: () => Promise<T>, expected = false): Promise<T> {
    if (!expected) this.check(count);
    if (this.#pending === 0) this.#rate.began();
    this.#pending += count;
    let done = 0;
    try {
      const result = await task();
      done = count; // what was given up or failed says nothing about the rate
      return result;
    } finally {
      this.#pending -= count;
      this.#rate.completed(done, this.#pending);
    }
  }
}
