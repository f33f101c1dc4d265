import type { IncomingMessage } from 'node:http';
import { DomainError } from '@atelier/domain';
import { parseJson, parseRequest, readBody, requireUtf8 } from '@atelier/http';
import type { z } from 'zod';

/** A whole recipe has some hundred values. */
const MAXIMUM_VALUES = 10_000;

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
  return parseRequest(schema, parseJson(body, MAXIMUM_VALUES));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
