import { DomainError } from '@atelier/domain';

/** What becomes of a request at its deadline, wherever it is then. */
export function deadlineExceeded(): DomainError {
  return new DomainError('deadline-exceeded', 'The request was not answered in the time that it gave.');
}

/** Who gives itself longer has no deadline: nothing here takes a day, and beyond 2^31 - 1 ms Node's timers fire at once. */
const LONGEST_TIMEOUT_MS = 24 * 60 * 60 * 1000;

/** The moment `timeoutMs` after `from`, both in ms as `performance.now` counts; undefined for more than a day. */
export function deadlineAfter(timeoutMs: number, from = performance.now()): number | undefined {
  return timeoutMs > LONGEST_TIMEOUT_MS ? undefined : from + timeoutMs;
}
