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
    // Without a stack: it would be an eighth of what a refusal costs, in the one moment in which that counts.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(code, message);
    Error.stackTraceLimit = stackTraceLimit;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
