import type { Attend, Outcome } from '@atelier/trainer';
import { until } from './until.ts';

interface Attended {
  readonly id: string;
  readonly signal: AbortSignal;
  end(outcome: Outcome): void;
  fail(error: Error): void;
}

/** Attends to runs until a test says how each ends. */
export class Attendant {
  /** Every run that was handed out, in order. */
  readonly started: string[] = [];
  /** Those that have not ended. */
  readonly running: Attended[] = [];
  #over = false;

  readonly attend: Attend = async (id, signal) => {
    this.started.push(id);
    if (this.#over) return 'done';
    let attended: Attended | undefined;
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        attended = { id, signal, end: resolve, fail: reject };
        this.running.push(attended);
      });
    } finally {
      if (attended !== undefined) this.running.splice(this.running.indexOf(attended), 1);
    }
  };

  /** The one that is attended to, once it is. */
  async run(id: string): Promise<Attended> {
    const find = () => this.running.find((attended) => attended.id === id);
    await until(`run ${id} is handed out; so far ${this.started.join(', ')}`, () => find() !== undefined);
    const found = find();
    if (found === undefined) throw new Error(`Run ${id} is gone again`);
    return found;
  }

  async end(id: string, outcome: Outcome = 'done'): Promise<void> {
    const attended = await this.run(id);
    attended.end(outcome);
    await until(`run ${id} ends`, () => !this.running.includes(attended)); // it may be handed out again by now
  }

  /** Ends all that are attended to at this moment. */
  endAll(): void {
    for (const attended of [...this.running]) attended.end('done');
  }

  /** Ends all, those to come among them, so that workers can close after a failed test. */
  giveUp(): void {
    this.#over = true;
    this.endAll();
  }
}
