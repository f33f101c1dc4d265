/**
 * Every failure that we foresee. A code never changes once released: clients, logs and `docs/errors.md` name it.
 * The HTTP status of each lives at the HTTP edge (`@atelier/http`), which does not compile when a code is missing there.
 */
export const ERROR_CODES = [
  // Asking for something that does not exist or cannot be used
  'unknown-recipe',
  'invalid-recipe',
  'unknown-engine',
  'engine-unavailable',
  'unknown-device',
  'device-unavailable',
  'teacher-not-found',
  'invalid-configuration',
  'address-unavailable',
  // The data set
  'dataset-not-found',
  'dataset-corrupt',
  'dataset-mismatch',
  'malformed-idx',
  'malformed-csv',
  // Models as files
  'malformed-onnx',
  'malformed-tfjs-model',
  'unsupported-layer',
  'invalid-conversion-option',
  'unsupported-operator',
  'output-occupied',
  'not-differentiable',
  // Training
  'source-mismatch',
  'training-diverged',
  'training-interrupted',
  'training-crashed',
  'disk-full',
  // Runs
  'run-not-found',
  'run-file-not-found',
  'run-finished',
  'run-unfinished',
  'run-in-use',
  'illegal-transition',
  'invalid-run',
  'invalid-checkpoint',
  // Searches
  'search-not-found',
  'search-unfinished',
  'invalid-search',
  // Publishing
  'parity-failed',
  'worse-than-published',
  // The model repository
  'model-not-found',
  'invalid-manifest',
  'digest-mismatch',
  'contract-mismatch',
  'golden-mismatch',
  'invalid-labels',
  'version-refused',
  'repository-not-writable',
  // Requests
  'malformed-request',
  'url-too-long',
  'malformed-json',
  'malformed-multipart',
  'malformed-body',
  'invalid-request',
  'idempotency-key-reused',
  'unauthorized',
  'forbidden',
  'foreign-origin',
  'missing-image',
  'undecodable-image',
  'unsupported-media-type',
  'payload-too-large',
  'image-too-large',
  'too-many-images',
  // Sets of many images
  'malformed-archive',
  'archive-too-large',
  'malformed-labels',
  'unsafe-entry',
  'unreadable-entry',
  'entry-too-large',
  'nested-archive',
  'duplicate-entry',
  'unlabelled-entry',
  'missing-entry',
  'upload-timeout',
  'evaluation-not-found',
  'evaluation-unfinished',
  'no-examples',
  // Routes
  'route-not-found',
  'method-not-allowed',
  'unsupported-feature',
  // The service itself
  'queue-full',
  'queue-unavailable',
  'too-many-streams',
  'not-ready',
  'shutting-down',
  'overloaded',
  'deadline-exceeded',
  'engine-lost',
  'engine-fault',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** A foreseen failure. The message says what was expected, what came and where; `cause` carries a library's own error. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  /** What a program reads of the failure, beside the message that says it in words; a client sees it too. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    { details = {}, ...options }: ErrorOptions & { details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** Whether something thrown is a foreseen failure with one of these codes. */
export function hasCode(thrown: unknown, ...codes: readonly ErrorCode[]): thrown is DomainError {
  return thrown instanceof DomainError && codes.includes(thrown.code);
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
