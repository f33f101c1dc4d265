import { DomainError } from '@atelier/domain';

/** A refusal that passes by itself: the answer carries `Retry-After`. */
export class RetryLater extends DomainError {
  readonly retryAfterSeconds = 5;

  constructor(
    code: 'not-ready' | 'shutting-down' | 'queue-full' | 'queue-unavailable' | 'too-many-streams',
    message: string,
  ) {
    super(code, message);
  }
}
