/** Lets at most `count` tasks run at a time; the others wait in the order in which they came. */
export class DecodeSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift(); // whom the slot is handed to
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
