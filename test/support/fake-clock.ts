import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '@atelier/inference';

interface Alarm {
  at: number;
  task: () => void;
}

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #now = 0;
  #alarms: Alarm[] = [];
  #soon: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  /** Alarms that are set. */
  get alarms(): number {
    return this.#alarms.length;
  }

  after(delayMs: number, task: () => void): () => void {
    const alarm = { at: this.#now + delayMs, task };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  /** Runs what was to be run soon, until nothing more is, and whatever awaits it. */
  async turn(): Promise<void> {
    do {
      for (const task of this.#soon.splice(0)) task();
      await nextTurn();
    } while (this.#soon.length > 0);
  }

  /** Lets time pass, alarm by alarm. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#alarms.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#alarms = this.#alarms.filter((alarm) => alarm !== next);
      next.task();
      await this.turn();
    }
    this.#now = end;
    await this.turn();
  }
}
