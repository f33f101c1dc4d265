import { DomainError } from '@atelier/domain';

/** A file that is not what TensorFlow.js or Keras writes. The message says what was expected, what came and where. */
export function malformed(message: string, cause?: unknown): DomainError {
  return new DomainError('malformed-tfjs-model', message, cause === undefined ? undefined : { cause });
}

/** A sound file with something in it that we cannot convert. The message says what is supported and the way out. */
export function unsupported(message: string): DomainError {
  return new DomainError('unsupported-layer', message);
}

/** An option of the caller that does not fit the model, or that we do not have. */
export function invalidOption(message: string): DomainError {
  return new DomainError('invalid-conversion-option', message);
}
