import { DomainError } from '@atelier/domain';

/** How long an upload may keep the service waiting. */
export interface ArrivalLimits {
  /** For its next bytes, in ms. */
  idleMs: number;
  /** For all of its bytes together, in ms: one byte now and then is no upload. */
  wholeMs: number;
}

/** Counts how long the service waits for a client; the time that it makes the client wait is its own. */
export class Arrival {
  readonly #limits: ArrivalLimits;
  readonly #tooLate: (error: DomainError) => void;
  #leftMs: number;
  #waitingSince = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `tooLate` is called with `upload-timeout`, once for each `wait` at most. */
  constructor(limits: ArrivalLimits, tooLate: (error: DomainError) => void) {
    this.#limits = limits;
    this.#tooLate = tooLate;
    this.#leftMs = limits.wholeMs;
  }

  wait(): void {
    this.stop();
    const { idleMs, wholeMs } = this.#limits;
    const isIdle = idleMs < this.#leftMs;
    const detail = isIdle ? `Nothing came for ${idleMs} ms.` : `The upload took more than ${wholeMs} ms.`;
    this.#waitingSince = performance.now();
    this.#timer = setTimeout(
      () => this.#tooLate(new DomainError('upload-timeout', detail)),
      Math.max(0, Math.min(idleMs, this.#leftMs)),
    );
  }

  /** Something has come, or nothing more is expected; idempotent. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs -= performance.now() - this.#waitingSince;
  }
}
