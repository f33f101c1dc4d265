import { argmax, CLASS_COUNT } from '@atelier/domain';

/** What is kept: the last so many answers, and none that is older. */
export interface WindowLimits {
  answers: number;
  ageMs: number;
}

/**
 * The last answers of one version, counted by class and by confidence. Takes eleven bytes for each answer that it may keep,
 * from the beginning, and no more.
 */
export class AnswerWindow {
  readonly classes = new Uint32Array(CLASS_COUNT);
  /** A bin for what is below the first edge, and one from each edge on. */
  readonly confidences: Uint32Array;
  #abstained = 0;
  #count = 0;
  readonly #limits: WindowLimits;
  readonly #edges: readonly number[];
  readonly #times: Float64Array;
  readonly #classes: Uint8Array;
  readonly #bins: Uint8Array;
  readonly #abstentions: Uint8Array;
  /** Where the next answer goes. */
  #next = 0;

  /** `edges` ascend, at most 255 of them. */
  constructor(limits: WindowLimits, edges: readonly number[]) {
    this.#limits = limits;
    this.#edges = edges;
    this.confidences = new Uint32Array(edges.length + 1);
    this.#times = new Float64Array(limits.answers);
    this.#classes = new Uint8Array(limits.answers);
    this.#bins = new Uint8Array(limits.answers);
    this.#abstentions = new Uint8Array(limits.answers);
  }

  get count(): number {
    return this.#count;
  }

  get abstained(): number {
    return this.#abstained;
  }

  /** When the oldest answer was given; undefined where there is none. */
  get since(): number | undefined {
    return this.#count === 0 ? undefined : this.#times[this.#oldest];
  }

  /** An answer of probabilities [10]; times do not descend. */
  add(now: number, probabilities: Float32Array, isAbstained: boolean): void {
    this.expire(now);
    if (this.#count === this.#limits.answers) this.#forgetOldest();
    const index = argmax(probabilities);
    const bin = this.#binOf(probabilities[index] ?? 0);
    const place = this.#next;
    this.#times[place] = now;
    this.#classes[place] = index;
    this.#bins[place] = bin;
    this.#abstentions[place] = isAbstained ? 1 : 0;
    this.#tally(index, bin, isAbstained ? 1 : 0, 1);
    this.#next = (place + 1) % this.#limits.answers;
  }

  /** Forgets what is too old at `now`. */
  expire(now: number): void {
    const oldestAllowed = now - this.#limits.ageMs;
    while (this.#count > 0 && (this.#times[this.#oldest] ?? 0) < oldestAllowed) this.#forgetOldest();
  }

  get #oldest(): number {
    return (this.#next - this.#count + this.#limits.answers) % this.#limits.answers;
  }

  #forgetOldest(): void {
    const place = this.#oldest;
    this.#tally(this.#classes[place] ?? 0, this.#bins[place] ?? 0, this.#abstentions[place] ?? 0, -1);
  }

  #tally(index: number, bin: number, abstained: number, by: 1 | -1): void {
    this.classes[index] = (this.classes[index] ?? 0) + by;
    this.confidences[bin] = (this.confidences[bin] ?? 0) + by;
    this.#abstained += abstained * by;
    this.#count += by;
  }

  #binOf(confidence: number): number {
    let bin = 0;
    while (bin < this.#edges.length && confidence >= (this.#edges[bin] ?? 0)) bin++;
    return bin;
  }
}
