import { hasHeader, type Answer } from './answer-parser.ts';
import type { Latencies, StatusReport } from './load-plan.ts';

interface Times {
  sinceDue: number[];
  sinceSent: number[];
  withoutRetryAfter: number;
}

/** Refusals that pass by themselves: each must say when. */
const PASSING = [429, 503];

/** Counts answers by status. */
export class Tally {
  readonly #times = new Map<number, Times>();

  add({ status, head }: Answer, sinceDueMs: number, sinceSentMs: number): void {
    let times = this.#times.get(status);
    if (times === undefined) this.#times.set(status, (times = { sinceDue: [], sinceSent: [], withoutRetryAfter: 0 }));
    times.sinceDue.push(sinceDueMs);
    times.sinceSent.push(sinceSentMs);
    if (PASSING.includes(status) && !hasHeader(head, 'Retry-After')) times.withoutRetryAfter++;
  }

  byStatus(): Record<number, StatusReport> {
    return Object.fromEntries(
      [...this.#times].map(([status, { sinceDue, sinceSent, withoutRetryAfter }]) => [
        status,
        { count: sinceDue.length, latency: latencies(sinceDue), sinceSent: latencies(sinceSent), withoutRetryAfter },
      ]),
    );
  }
}

/** By the nearest rank: each is one that was measured. Takes at least one. */
export function latencies(times: readonly number[]): Latencies {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
  return { median: at(0.5), percentile90: at(0.9), percentile99: at(0.99), longest: at(1) };
}
