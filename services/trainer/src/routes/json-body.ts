import type { IncomingMessage } from 'node:http';
import { DomainError } from '@atelier/domain';
import { InvalidRequest, jsonPointer, parseJson, parseRequest, readBody, requireUtf8 } from '@atelier/http';
import type { z } from 'zod';

/** A whole recipe has some hundred values. */
const MAXIMUM_VALUES = 10_000;

/** A recipe has four levels. */
const MAXIMUM_DEPTH = 32;

/** A request's body in JSON, as `schema` gives it. No body at all counts as `{}` where `isOptional`. */
export async function jsonBody<S extends z.ZodType>(
  request: IncomingMessage,
  schema: S,
  maximumBytes: number,
  { isOptional = false } = {},
): Promise<z.infer<S>> {
  const type = request.headers['content-type'];
  if (isOptional && type === undefined && !hasBody(request)) return parseRequest(schema, {});
  if (type === undefined || !/^application\/json\s*(;|$)/i.test(type)) {
    const came = type === undefined ? 'none came' : `came ${JSON.stringify(type.slice(0, 100))}`;
    throw new DomainError('unsupported-media-type', `Expected Content-Type application/json; ${came}.`);
  }
  requireUtf8(type);
  const body = await readBody(request, maximumBytes);
  const value = parseJson(body, MAXIMUM_VALUES);
  refuseUnfit(value);
  return parseRequest(schema, value);
}

/**
 * `invalid-request` for what no schema is asked about: more depth than the stacks of those who read it may have, and a name
 * that becomes no field where objects are copied, so that what stands there would be lost without a word.
 */
function refuseUnfit(body: unknown): void {
  const open: { path: readonly string[]; value: unknown }[] = [{ path: [], value: body }];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    const { path, value } = each;
    if (typeof value !== 'object' || value === null) continue;
    if (path.length >= MAXIMUM_DEPTH) throw unfit(path, `expected at most ${MAXIMUM_DEPTH} levels`);
    for (const [name, inner] of Object.entries(value)) {
      if (name === '__proto__') throw unfit([...path, name], 'unknown name');
      open.push({ path: [...path, name], value: inner });
    }
  }
}

function unfit(path: readonly string[], detail: string): InvalidRequest {
  return new InvalidRequest('The body does not match its schema.', [{ pointer: jsonPointer(path), detail }]);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
