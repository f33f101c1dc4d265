import { DomainError } from '@atelier/domain';

/** What becomes of a request at its deadline, wherever it is then. */
export function deadlineExceeded(): DomainError {
  return new DomainError('deadline-exceeded', 'The request was not answered in the time that it gave.');
}
