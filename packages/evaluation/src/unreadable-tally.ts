import type { EvaluationReport, UnreadableEntry } from './report.ts';
import { shortenedName } from './shortened-name.ts';

/** Entries that could not be read: all are counted, the first ones are listed. */
export class UnreadableTally {
  readonly #limit: number;
  readonly #byCode = new Map<string, number>();
  readonly #shown: UnreadableEntry[] = [];
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  add({ name, code, message }: UnreadableEntry): void {
    this.#count++;
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
    if (this.#shown.length < this.#limit) {
      this.#shown.push({ name: shortenedName(name), code, message: shortenedName(message) });
    }
  }

  report(): EvaluationReport['unreadable'] {
    const byCode = Object.fromEntries([...this.#byCode].sort(([, one], [, other]) => other - one));
    return { count: this.#count, byCode, shown: [...this.#shown] };
  }
}
