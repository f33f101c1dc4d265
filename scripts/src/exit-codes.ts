import { DomainError, type ErrorCode } from '@atelier/domain';

const FAILED = 1;
export const USED_WRONGLY = 2;
const UNSUPPORTED = 3;

/** Failures that are not a plain 1: what the caller wrote is wrong, or a model is beyond us. */
const EXIT_CODES: Partial<Record<ErrorCode, number>> = {
  'unknown-recipe': USED_WRONGLY,
  'invalid-recipe': USED_WRONGLY,
  'unknown-engine': USED_WRONGLY,
  'engine-unavailable': USED_WRONGLY,
  'unknown-device': USED_WRONGLY,
  'device-unavailable': USED_WRONGLY,
  'run-not-found': USED_WRONGLY,
  'model-not-found': USED_WRONGLY,
  'search-not-found': USED_WRONGLY,
  'run-finished': USED_WRONGLY,
  'run-unfinished': USED_WRONGLY,
  'invalid-configuration': USED_WRONGLY,
  'malformed-onnx': USED_WRONGLY,
  'malformed-tfjs-model': USED_WRONGLY,
  'invalid-conversion-option': USED_WRONGLY,
  'unsupported-layer': UNSUPPORTED,
  'unsupported-operator': UNSUPPORTED,
  'output-occupied': USED_WRONGLY,
  'source-mismatch': USED_WRONGLY,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof DomainError ? (EXIT_CODES[error.code] ?? FAILED) : FAILED;
}
