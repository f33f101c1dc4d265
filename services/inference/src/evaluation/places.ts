/** Lets go of a place; idempotent. */
export type Release = () => void;

/** Places of which there are so many; who waits for one gets it in the order in which they came. */
export class Places {
  readonly #maximum: number;
  readonly #freed: () => void;
  #taken = 0;
  #waiting: ((place: Release) => void)[] = [];

  /** `freed` is told whenever a place has become free. */
  constructor(maximum: number, freed: () => void) {
    this.#maximum = maximum;
    this.#freed = freed;
  }

  get taken(): number {
    return this.#taken;
  }

  get areTaken(): boolean {
    return this.#taken >= this.#maximum;
  }

  /** One that is free; undefined where none is. */
  take(): Release | undefined {
    if (this.areTaken) return undefined;
    this.#taken++;
    return this.#place();
  }

  /** The next one that is free; rejects with the reason of `signal`. */
  async next(signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    return (
      this.take() ??
      new Promise<Release>((resolve, reject) => {
        const got = (place: Release) => {
          signal.removeEventListener('abort', leave);
          resolve(place);
        };
        const leave = () => {
          this.#waiting = this.#waiting.filter((other) => other !== got);
          reject(signal.reason as Error);
        };
        this.#waiting.push(got);
        signal.addEventListener('abort', leave, { once: true });
      })
    );
  }

  #place(): Release {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const next = this.#waiting.shift();
      if (next !== undefined) {
        next(this.#place());
        return;
      }
      this.#taken--;
      this.#freed();
    };
  }
}
