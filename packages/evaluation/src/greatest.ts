/** The greatest of what it was offered, at most `limit` of them; the order of the offers does not matter. */
export class Greatest<T> {
  readonly #limit: number;
  readonly #compare: (one: T, other: T) => number;
  #kept: T[] = [];

  /** `compare` is negative where the first is greater, as for `toSorted`; it tells all but equals apart. */
  constructor(limit: number, compare: (one: T, other: T) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  offer(item: T): void {
    const last = this.#kept.at(-1);
    if (this.#kept.length >= this.#limit && (last === undefined || this.#compare(item, last) >= 0)) return;
    const place = this.#kept.findIndex((kept) => this.#compare(item, kept) < 0);
    this.#kept.splice(place === -1 ? this.#kept.length : place, 0, item);
    if (this.#kept.length > this.#limit) this.#kept.pop();
  }

  /** The greatest first. */
  get items(): readonly T[] {
    return this.#kept;
  }
}
