import { DomainError, messageOf } from '@atelier/domain';
import busboy, { type Busboy, type BusboyConfig } from 'busboy';

/** A parser of forms with this Content-Type. `malformed-multipart` where that has no boundary. */
export function createFormParser(contentType: string, options: Omit<BusboyConfig, 'headers'>): Busboy {
  try {
    return busboy({ headers: { 'content-type': contentType }, ...options });
  } catch (cause) {
    const message = 'The Content-Type of the form has no boundary that can be read.';
    throw new DomainError('malformed-multipart', message, { cause });
  }
}

/** What a parser says of a form, as `malformed-multipart`; other failures stay what they are. */
export function malformedForm(cause: unknown): unknown {
  if (cause instanceof DomainError) return cause;
  const reason = REASONS.find(([words]) => messageOf(cause).includes(words))?.[1];
  if (reason === undefined) return cause;
  return new DomainError('malformed-multipart', `The body is not multipart/form-data: ${reason}.`, { cause });
}

const REASONS = [
  ['end of form', 'it breaks off, or its boundary is not the one in the Content-Type'],
  ['Malformed part header', 'the header of a part cannot be read'],
] as const;
