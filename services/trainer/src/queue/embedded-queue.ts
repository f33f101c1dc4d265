import { Attendances } from './attendances.ts';
import { type Attend, BUSY_DELAY_MS, type QueueWorker, type RunQueue, type RunQueueOptions } from './run-queue.ts';

/** The queue of a service that works alone. It forgets everything at its end: a service adds what waits at its start. */
export class EmbeddedQueue implements RunQueue {
  readonly #busyDelayMs: number;
  readonly #onFault: (message: string) => void;
  readonly #workers = new Set<{ attendances: Attendances; concurrency: number }>();
  /** A run is in one of these three. */
  readonly #waiting = new Set<string>();
  readonly #busy = new Map<string, NodeJS.Timeout>();
  readonly #attended = new Set<string>();
  /** Added since they were handed out. */
  readonly #wantedAgain = new Set<string>();

  constructor({ busyDelayMs = BUSY_DELAY_MS, onFault = () => undefined }: RunQueueOptions = {}) {
    this.#busyDelayMs = busyDelayMs;
    this.#onFault = onFault;
  }

  async add(id: string): Promise<void> {
    if (this.#attended.has(id)) this.#wantedAgain.add(id);
    else if (!this.#busy.has(id)) this.#waiting.add(id);
    this.#handOut();
  }

  async remove(id: string): Promise<void> {
    this.#waiting.delete(id);
    clearTimeout(this.#busy.get(id));
    this.#busy.delete(id);
  }

  async length(): Promise<number> {
    return this.#waiting.size + this.#busy.size;
  }

  async work(concurrency: number, attend: Attend): Promise<QueueWorker> {
    const attendances = new Attendances(attend, this.#onFault);
    const worker = { attendances, concurrency };
    this.#workers.add(worker);
    this.#handOut();
    return {
      close: async () => {
        this.#workers.delete(worker);
        await attendances.end();
      },
    };
  }

  async close(): Promise<void> {
    for (const timer of this.#busy.values()) clearTimeout(timer);
  }

  /** Gives the oldest runs to the workers that have a place. */
  #handOut(): void {
    for (const { attendances, concurrency } of this.#workers) {
      for (const id of this.#waiting) {
        if (attendances.size >= concurrency) break;
        this.#waiting.delete(id);
        this.#attended.add(id);
        void this.#attendTo(id, attendances);
      }
    }
  }

  async #attendTo(id: string, attendances: Attendances): Promise<void> {
    const outcome = await attendances.start(id);
    this.#attended.delete(id);
    if (outcome === 'busy') this.#askAgainLater(id);
    else if (this.#wantedAgain.delete(id)) this.#waiting.add(id);
    this.#handOut();
  }

  #askAgainLater(id: string): void {
    const askAgain = () => {
      this.#busy.delete(id);
      this.#waiting.add(id);
      this.#handOut();
    };
    this.#busy.set(id, setTimeout(askAgain, this.#busyDelayMs));
  }
}
