import { DomainError } from '@atelier/domain';
import type { z } from 'zod';

/** One fault of a request: where in the body (a JSON Pointer, RFC 6901) or in which query parameter, and what. */
export type RequestFault = { pointer: string; detail: string } | { parameter: string; detail: string };

/** A request that breaks its schema; names at most `MAXIMUM_FAULTS` places. */
export class InvalidRequest extends DomainError {
  readonly faults: RequestFault[];

  constructor(message: string, faults: RequestFault[]) {
    super('invalid-request', message);
    this.faults = faults.slice(0, MAXIMUM_FAULTS);
  }
}

/** More would only lengthen the answer: a body of 200,000 wrong numbers has one cause. */
export const MAXIMUM_FAULTS = 20;

/**
 * The body as its schema gives it; `invalid-request` points at each faulty value. For small bodies: a schema builds an
 * issue for every faulty element, so a list as long as a client likes wants a loop that stops at `MAXIMUM_FAULTS`.
 */
export function parseRequest<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  return parse(schema, body, 'The body does not match its schema.', (path, detail) => ({
    pointer: jsonPointer(path),
    detail,
  }));
}

/** The query parameters as their schema gives them; `invalid-request` names each faulty parameter. */
export function parseQuery<S extends z.ZodType>(schema: S, query: unknown): z.infer<S> {
  return parse(schema, query, 'The query does not match its schema.', ([parameter = ''], detail) => ({
    parameter: String(parameter),
    detail,
  }));
}

/** RFC 6901: `/pixels/3/17`; the empty pointer is the whole body. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function parse<S extends z.ZodType>(
  schema: S,
  source: unknown,
  message: string,
  fault: (path: readonly PropertyKey[], detail: string) => RequestFault,
): z.infer<S> {
  const parsed = schema.safeParse(source);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap((issue) =>
    // An unknown key is reported at its parent; the fault is the key.
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => fault([...issue.path, key], 'unknown name'))
      : [fault(issue.path, issue.message)],
  );
  throw new InvalidRequest(message, faults);
}
