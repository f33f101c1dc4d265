import { RetryLater } from '@atelier/http';

/** What a caller can wait before it comes back, in seconds: evaluations of thousands of pictures take some. */
const RETRY_SECONDS = 5;

/** How many evaluations and batches of files there may be at a time, from their first byte to their last. */
export class EvaluationSlots {
  readonly #maximum: number;
  readonly #ending = new AbortController();
  readonly #closing = new AbortController();
  #taken = 0;
  #whenFree: (() => void) | undefined;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Aborts with `shutting-down` as soon as nobody is let in any more: for what no request waits for. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Aborts with `shutting-down` when those that are running have had their time. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Takes one, until the function that it returns is called; throws `overloaded`, and after `close` `shutting-down`. */
  take(): () => void {
    if (this.#ending.signal.aborted) throw shuttingDown();
    if (this.#taken >= this.#maximum) {
      throw new RetryLater('overloaded', `${this.#taken} evaluations run, as many as may at a time.`, RETRY_SECONDS);
    }
    this.#taken++;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      if (--this.#taken === 0) this.#whenFree?.();
    };
  }

  /** Takes one for the time of a task. */
  async during<T>(task: () => Promise<T>): Promise<T> {
    const release = this.take();
    try {
      return await task();
    } finally {
      release();
    }
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
}

function shuttingDown(): RetryLater {
  return new RetryLater('shutting-down', 'The service is stopping.');
}
