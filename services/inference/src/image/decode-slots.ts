interface Waiting {
  weight: number;
  begin: () => void;
}

/** Lets tasks of at most `count` slots run at a time; the others wait in the order in which they came. */
export class DecodeSlots {
  readonly count: number;
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(count: number) {
    this.count = count;
    this.#free = count;
  }

  /**
   * A task takes `weight` slots, at most all of them. One whose `signal` aborts before its turn never runs: it rejects at
   * once with the reason.
   */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal, weight = 1): Promise<T> {
    signal?.throwIfAborted();
    const taken = Math.min(weight, this.count);
    if (this.#waiting.length === 0 && this.#free >= taken) this.#free -= taken;
    else await this.#turn(taken, signal);
    try {
      return await task();
    } finally {
      this.#free += taken;
      this.#handOver();
    }
  }

  /** To those who have waited longest, whom nobody passes: else one that needs many would wait for ever. */
  #handOver(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.weight <= this.#free; next = this.#waiting[0]) {
      this.#free -= next.weight;
      this.#waiting.shift();
      next.begin();
    }
  }

  #turn(weight: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const waiting = { weight, begin };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        this.#handOver();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(waiting);
    });
  }
}
