import { DomainError } from '@atelier/domain';
import type { Priority } from '../predictor/predictor.ts';
import type { Parameters } from './tensor.ts';

/** What the parameters of a request ask of the queue (Triton's extension `schedule_policy`). */
export interface CallOptions {
  priority: Priority;
  /** In ms; undefined where the request gives itself none. */
  timeoutMs: number | undefined;
}

/** Keys that Triton keeps for itself; a client that sends one asks for something that we do not do. */
const RESERVED = 'triton_';

/**
 * `priority`: 0 is the default and 1 the highest, both online; what comes after them waits with the evaluations. `timeout`: in
 * microseconds, 0 for none. Others mean nothing, except those that `invalid-request` refuses as reserved.
 */
export function callOptions(parameters: Parameters): CallOptions {
  for (const key in parameters) {
    if (!key.startsWith(RESERVED)) continue;
    throw new DomainError(
      'invalid-request',
      `Parameter ${JSON.stringify(key.slice(0, 64))}: keys that begin with "${RESERVED}" are reserved for Triton.`,
    );
  }
  const priority = wholeNumber(parameters, 'priority', '0 for the default, 1 for the highest');
  const timeout = wholeNumber(parameters, 'timeout', 'in microseconds');
  return { priority: priority > 1 ? 'bulk' : 'online', timeoutMs: timeout === 0 ? undefined : timeout / 1000 };
}

/** 64-bit numbers of gRPC come as bigint. */
function wholeNumber(parameters: Parameters, key: string, meaning: string): number {
  const value = parameters[key] ?? 0;
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0) return number;
  const came = typeof number === 'number' ? String(number) : typeof number;
  throw new DomainError('invalid-request', `Parameter "${key}": ${came}; expected a whole number, ${meaning}.`);
}
