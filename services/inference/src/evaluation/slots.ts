import { RetryLater } from '@atelier/http';
import { Places, type Release } from './places.ts';

/** What a caller can wait before it comes back, in seconds: evaluations of thousands of pictures take some. */
const RETRY_SECONDS = 5;

/** How many of each there may be at a time. */
export interface SlotLimits {
  /** Sets that are measured. */
  evaluations: number;
  /** Sets that are on their way, or are there and wait for their turn. */
  uploads: number;
  /** Batches of files, from their first byte to their last: they are answered while they come. */
  batches: number;
}

/**
 * Lets in what takes long. Whoever sends slowly takes nobody's turn: an evaluation has its turn when all of its set is there, and
 * batches have places of their own.
 */
export class EvaluationSlots {
  readonly #ending = new AbortController();
  readonly #closing = new AbortController();
  readonly #evaluations: Places;
  readonly #uploads: Places;
  readonly #batches: Places;
  #whenFree: (() => void) | undefined;

  constructor({ evaluations, uploads, batches }: SlotLimits) {
    const freed = () => {
      if (this.#taken === 0) this.#whenFree?.();
    };
    this.#evaluations = new Places(evaluations, freed);
    this.#uploads = new Places(uploads, freed);
    this.#batches = new Places(batches, freed);
  }

  /** Aborts with `shutting-down` as soon as nobody is let in any more: for what no request waits for. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Aborts with `shutting-down` when those that are running have had their time. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Lets the set of an evaluation come, until its turn. Throws `overloaded` where it would wait for others that are there already,
   * or where too many are on their way; after `close` `shutting-down`.
   */
  upload(): Release {
    this.#requireOpen();
    if (this.#evaluations.areTaken) throw busy(`${this.#evaluations.taken} evaluations run`);
    const place = this.#uploads.take();
    if (place === undefined) throw busy(`The sets of ${this.#uploads.taken} evaluations are on their way`);
    return place;
  }

  /** The turn of an evaluation whose set is there; rejects with the reason of `signal`. */
  turn(signal: AbortSignal): Promise<Release> {
    return this.#evaluations.next(signal);
  }

  /** Lets a batch of files in; throws `overloaded`, and after `close` `shutting-down`. */
  batch(): Release {
    this.#requireOpen();
    const place = this.#batches.take();
    if (place === undefined) throw busy(`${this.#batches.taken} batches run`);
    return place;
  }

  /** Lets nobody in any more, waits for those who are in at most `graceMs`, and then aborts what they do. */
  async close(graceMs: number): Promise<void> {
    this.#ending.abort(shuttingDown());
    if (this.#taken > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#whenFree = resolve;
        timer = setTimeout(resolve, graceMs);
      });
      clearTimeout(timer);
    }
    this.#closing.abort(shuttingDown());
  }

  get #taken(): number {
    return this.#evaluations.taken + this.#uploads.taken + this.#batches.taken;
  }

  #requireOpen(): void {
    if (this.#ending.signal.aborted) throw shuttingDown();
  }
}

function busy(what: string): RetryLater {
  return new RetryLater('overloaded', `${what}, as many as may at a time.`, RETRY_SECONDS);
}

function shuttingDown(): RetryLater {
  return new RetryLater('shutting-down', 'The service is stopping.');
}
