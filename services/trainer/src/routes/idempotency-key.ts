import { InvalidRequest } from '@atelier/http';
import type { Request } from 'express';

/** What a key may be: it is kept in `run.json`. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** The `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header), or null. */
export function idempotencyKey(request: Request): string | null {
  const key = request.get('Idempotency-Key');
  if (key === undefined) return null;
  if (KEY.test(key)) return key;
  const detail = 'expected 1 to 255 characters of printable ASCII without spaces';
  throw new InvalidRequest('The Idempotency-Key cannot be one.', [{ parameter: 'Idempotency-Key', detail }]);
}
