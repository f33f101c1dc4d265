import type { IncomingMessage } from 'node:http';
import { deadlineAfter, InvalidRequest } from '@atelier/http';

/** Seconds, with a fraction or none. */
const SECONDS = /^\d{1,15}(\.\d{1,6})?$/;

/**
 * When the answer to a request is of no use any more, in ms as `performance.now` counts, by its header `Request-Timeout`
 * in seconds; undefined without one, and for more than a day. `invalid-request` for what is no positive number.
 */
export function deadlineOf({ headers }: IncomingMessage): number | undefined {
  const header = headers['request-timeout'];
  if (header === undefined) return undefined;
  const text = String(header).trim();
  const seconds = SECONDS.test(text) ? Number(text) : NaN;
  if (seconds > 0) return deadlineAfter(seconds * 1000);
  throw new InvalidRequest('The header Request-Timeout is wrong.', [
    { parameter: 'Request-Timeout', detail: 'expected seconds as a positive decimal number, such as 0.5' },
  ]);
}
