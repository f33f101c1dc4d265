import { DomainError } from '@atelier/domain';

/** How long an upload may keep the service waiting. */
export interface ArrivalLimits {
  /** For as many bytes as the slowest line brings in that time, in ms. */
  idleMs: number;
  /** For all of its bytes together, in ms. */
  wholeMs: number;
}

/** Less than the slowest line brings: who sends so little holds a place and does not fill it. */
const BYTES_PER_SECOND = 1_024;

/** Counts how long the service waits for a client; the time that it makes the client wait is its own. */
export class Arrival {
  readonly #limits: ArrivalLimits;
  readonly #tooLate: (error: DomainError) => void;
  readonly #enoughBytes: number;
  #leftMs: number;
  /** Until so many bytes must have come again, and how many have. */
  #idleLeftMs: number;
  #bytes = 0;
  #waitingSince = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `tooLate` is called with `upload-timeout`, once for each `wait` at most. */
  constructor(limits: ArrivalLimits, tooLate: (error: DomainError) => void) {
    this.#limits = limits;
    this.#tooLate = tooLate;
    this.#leftMs = limits.wholeMs;
    this.#idleLeftMs = limits.idleMs;
    this.#enoughBytes = Math.ceil((limits.idleMs / 1000) * BYTES_PER_SECOND);
  }

  wait(): void {
    this.stop();
    const { idleMs, wholeMs } = this.#limits;
    const isIdle = this.#idleLeftMs < this.#leftMs;
    const came = this.#bytes === 0 ? 'Nothing' : `Only ${this.#bytes} bytes`;
    const detail = isIdle
      ? `${came} came in ${idleMs} ms; expected at least ${this.#enoughBytes} bytes.`
      : `The upload took more than ${wholeMs} ms.`;
    this.#waitingSince = performance.now();
    this.#timer = setTimeout(
      () => this.#tooLate(new DomainError('upload-timeout', detail)),
      Math.max(0, Math.min(this.#idleLeftMs, this.#leftMs)),
    );
  }

  /** So many bytes have come. */
  came(bytes: number): void {
    this.stop();
    this.#bytes += bytes;
    if (this.#bytes < this.#enoughBytes) return;
    this.#bytes = 0;
    this.#idleLeftMs = this.#limits.idleMs;
  }

  /** Nobody waits any more; idempotent. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waitedMs = performance.now() - this.#waitingSince;
    this.#leftMs -= waitedMs;
    this.#idleLeftMs -= waitedMs;
  }
}
