import { messageOf } from '@atelier/domain';
import type { Attend, Outcome } from './run-queue.ts';

/** What one worker attends to at this moment. */
export class Attendances {
  readonly #attend: Attend;
  readonly #onFault: (message: string) => void;
  readonly #running = new Map<string, { controller: AbortController; outcome: Promise<Outcome> }>();

  constructor(attend: Attend, onFault: (message: string) => void) {
    this.#attend = attend;
    this.#onFault = onFault;
  }

  get size(): number {
    return this.#running.size;
  }

  has(id: string): boolean {
    return this.#running.has(id);
  }

  /** Attends to a run; never rejects, as an attendant's failure is reported and counts as `done`. */
  async start(id: string): Promise<Outcome> {
    const controller = new AbortController();
    const outcome = this.#outcome(id, controller.signal);
    this.#running.set(id, { controller, outcome });
    return outcome.finally(() => this.#running.delete(id));
  }

  /** Aborts all and resolves when they have ended. */
  async end(): Promise<void> {
    const running = [...this.#running.values()];
    for (const { controller } of running) controller.abort();
    await Promise.all(running.map(({ outcome }) => outcome));
  }

  async #outcome(id: string, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#attend(id, signal);
    } catch (error) {
      this.#onFault(`Run ${id} could not be attended to: ${messageOf(error)}`);
      return 'done';
    }
  }
}
