import { DomainError, messageOf } from '@atelier/domain';
import type { Answer } from './messages.ts';

/** What the compute process says of a question that it could not answer. */
export function failedAnswer(id: number, error: unknown): Answer {
  const code = error instanceof DomainError ? { code: error.code } : {};
  return { id, kind: 'failed', ...code, message: messageOf(error) };
}
