import { DomainError } from '@atelier/domain';

type PassingCode =
  | 'not-ready'
  | 'shutting-down'
  | 'overloaded'
  | 'engine-lost'
  | 'queue-full'
  | 'queue-unavailable'
  | 'too-many-streams';

/** A refusal that passes by itself: the answer carries `Retry-After`. */
export class RetryLater extends DomainError {
  readonly retryAfterSeconds: number;

  constructor(code: PassingCode, message: string, retryAfterSeconds = 5) {
    super(code, message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
