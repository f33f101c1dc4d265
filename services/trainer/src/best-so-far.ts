/** Follows one number over the epochs: whether it improved, and for how many epochs it has not. */
export class BestSoFar {
  #best = Infinity;
  #epochsSince = 0;
  readonly #minimumImprovement: number;

  /** Lower is better; an improvement smaller than `minimumImprovement` is none. */
  constructor(minimumImprovement = 0) {
    this.#minimumImprovement = minimumImprovement;
  }

  /** True when `value` is the best yet. */
  improves(value: number): boolean {
    if (value < this.#best - this.#minimumImprovement) {
      this.#best = value;
      this.#epochsSince = 0;
      return true;
    }
    this.#epochsSince++;
    return false;
  }

  /** Epochs since the best one. */
  get epochsSince(): number {
    return this.#epochsSince;
  }

  /** Forgets the waiting, not the best: what a plateau does after it reduced the rate. */
  restartWaiting(): void {
    this.#epochsSince = 0;
  }
}
