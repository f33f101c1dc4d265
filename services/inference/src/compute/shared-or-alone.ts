/** Lets tasks run beside each other, or one of them without any other, in the order in which they come. */
export class SharedOrAlone {
  /** Settles when the last task that was to be alone has ended. */
  #lastAlone: Promise<unknown> = Promise.resolve();
  readonly #running = new Set<Promise<unknown>>();

  async shared<T>(task: () => Promise<T>): Promise<T> {
    let before: Promise<unknown>;
    do {
      before = this.#lastAlone;
      await before;
    } while (before !== this.#lastAlone);
    const running = task();
    const settled = running.catch(() => undefined);
    this.#running.add(settled);
    try {
      return await running;
    } finally {
      this.#running.delete(settled);
    }
  }

  async alone<T>(task: () => Promise<T>): Promise<T> {
    const before = this.#lastAlone;
    const mine = before.then(() => Promise.all(this.#running)).then(task);
    this.#lastAlone = mine.catch(() => undefined);
    return mine;
  }
}
