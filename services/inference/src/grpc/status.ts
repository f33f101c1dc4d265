import { DomainError, type ErrorCode } from '@atelier/domain';
import { InvalidRequest, RetryLater } from '@atelier/http';
import { Metadata, status as STATUS } from '@grpc/grpc-js';

type StatusName = keyof typeof STATUS;

/**
 * The status of each failure (https://grpc.io/docs/guides/status-codes). A code that no call can cause is our fault where
 * one causes it: explained in the log and not in the answer. A code without a line here does not compile.
 */
export const STATUSES = {
  'unknown-recipe': 'hidden',
  'invalid-recipe': 'hidden',
  'unknown-engine': 'hidden',
  'engine-unavailable': 'hidden',
  'unknown-device': 'hidden',
  'device-unavailable': 'FAILED_PRECONDITION',
  'teacher-not-found': 'hidden',
  'invalid-configuration': 'hidden',
  'address-unavailable': 'hidden',
  'dataset-not-found': 'hidden',
  'dataset-corrupt': 'hidden',
  'dataset-mismatch': 'hidden',
  'malformed-idx': 'hidden',
  'malformed-csv': 'hidden',
  'malformed-onnx': 'hidden',
  'malformed-tfjs-model': 'hidden',
  'unsupported-layer': 'hidden',
  'invalid-conversion-option': 'hidden',
  'unsupported-operator': 'hidden',
  'output-occupied': 'hidden',
  'not-differentiable': 'FAILED_PRECONDITION',
  'source-mismatch': 'hidden',
  'training-diverged': 'hidden',
  'training-interrupted': 'hidden',
  'training-crashed': 'hidden',
  'disk-full': 'hidden',
  'run-not-found': 'hidden',
  'run-file-not-found': 'hidden',
  'run-finished': 'hidden',
  'run-unfinished': 'hidden',
  'run-in-use': 'hidden',
  'illegal-transition': 'hidden',
  'invalid-run': 'hidden',
  'invalid-checkpoint': 'hidden',
  'search-not-found': 'hidden',
  'search-unfinished': 'hidden',
  'invalid-search': 'hidden',
  'parity-failed': 'hidden',
  'worse-than-published': 'hidden',
  'model-not-found': 'NOT_FOUND',
  'invalid-manifest': 'FAILED_PRECONDITION',
  'digest-mismatch': 'hidden',
  'contract-mismatch': 'hidden',
  'golden-mismatch': 'FAILED_PRECONDITION',
  'invalid-labels': 'FAILED_PRECONDITION',
  'version-refused': 'FAILED_PRECONDITION',
  'repository-not-writable': 'hidden',
  'malformed-request': 'INVALID_ARGUMENT',
  'url-too-long': 'hidden', // a path of gRPC is a name of ours
  'malformed-json': 'INVALID_ARGUMENT',
  'malformed-multipart': 'INVALID_ARGUMENT',
  'malformed-body': 'INVALID_ARGUMENT',
  'invalid-request': 'INVALID_ARGUMENT',
  'idempotency-key-reused': 'hidden',
  unauthorized: 'UNAUTHENTICATED',
  forbidden: 'PERMISSION_DENIED',
  'foreign-origin': 'PERMISSION_DENIED',
  'missing-image': 'INVALID_ARGUMENT',
  'undecodable-image': 'INVALID_ARGUMENT',
  'unsupported-media-type': 'INVALID_ARGUMENT',
  'payload-too-large': 'RESOURCE_EXHAUSTED',
  'image-too-large': 'RESOURCE_EXHAUSTED',
  'too-many-images': 'RESOURCE_EXHAUSTED',
  'malformed-archive': 'hidden',
  'archive-too-large': 'hidden',
  'malformed-labels': 'hidden',
  'unsafe-entry': 'hidden',
  'unreadable-entry': 'hidden',
  'entry-too-large': 'hidden',
  'nested-archive': 'hidden',
  'duplicate-entry': 'hidden',
  'unlabelled-entry': 'hidden',
  'missing-entry': 'hidden',
  'upload-timeout': 'hidden',
  'evaluation-not-found': 'hidden',
  'evaluation-unfinished': 'hidden',
  'no-examples': 'hidden',
  'route-not-found': 'UNIMPLEMENTED',
  'method-not-allowed': 'UNIMPLEMENTED',
  'unsupported-feature': 'UNIMPLEMENTED',
  'queue-full': 'hidden',
  'queue-unavailable': 'hidden',
  'too-many-streams': 'hidden',
  'not-ready': 'UNAVAILABLE',
  'shutting-down': 'UNAVAILABLE',
  overloaded: 'RESOURCE_EXHAUSTED',
  'deadline-exceeded': 'DEADLINE_EXCEEDED',
  'engine-lost': 'UNAVAILABLE',
  'engine-fault': 'INTERNAL',
  internal: 'hidden',
} as const satisfies Record<ErrorCode, StatusName | 'hidden'>;

/** The names of the statuses in the metrics of the first library that counted them, which dashboards ask for. */
const STATUS_WORDS = {
  [STATUS.OK]: 'OK',
  [STATUS.CANCELLED]: 'Canceled',
  [STATUS.UNKNOWN]: 'Unknown',
  [STATUS.INVALID_ARGUMENT]: 'InvalidArgument',
  [STATUS.DEADLINE_EXCEEDED]: 'DeadlineExceeded',
  [STATUS.NOT_FOUND]: 'NotFound',
  [STATUS.ALREADY_EXISTS]: 'AlreadyExists',
  [STATUS.PERMISSION_DENIED]: 'PermissionDenied',
  [STATUS.RESOURCE_EXHAUSTED]: 'ResourceExhausted',
  [STATUS.FAILED_PRECONDITION]: 'FailedPrecondition',
  [STATUS.ABORTED]: 'Aborted',
  [STATUS.OUT_OF_RANGE]: 'OutOfRange',
  [STATUS.UNIMPLEMENTED]: 'Unimplemented',
  [STATUS.INTERNAL]: 'Internal',
  [STATUS.UNAVAILABLE]: 'Unavailable',
  [STATUS.DATA_LOSS]: 'DataLoss',
  [STATUS.UNAUTHENTICATED]: 'Unauthenticated',
} as const satisfies Record<STATUS, string>;
export type StatusWord = (typeof STATUS_WORDS)[STATUS];

export function statusWord(code: STATUS): StatusWord {
  return STATUS_WORDS[code];
}

const SERVER_FAULTS: readonly STATUS[] = [
  ...[STATUS.UNKNOWN, STATUS.DEADLINE_EXCEEDED, STATUS.UNIMPLEMENTED],
  ...[STATUS.INTERNAL, STATUS.UNAVAILABLE, STATUS.DATA_LOSS],
];

/** Whether a span that ends so has failed (OpenTelemetry's semantic conventions of gRPC, for servers). */
export function isServerFault(code: STATUS): boolean {
  return SERVER_FAULTS.includes(code);
}

/** How a call ends that is not answered. */
export interface Failure {
  code: STATUS;
  /** For people; what is wrong, where it is the caller's. */
  details: string;
  /** `x-error-code`, and `retry-after` in seconds where the same call may do better later. */
  metadata: Metadata;
}

/** Metadata counts against limits of 8 KiB in many clients, and each character may take nine bytes of it. */
const MAXIMUM_DETAILS_LENGTH = 500;

/** What a client is told of anything thrown. */
export function failureOf(error: unknown): Failure {
  const metadata = new Metadata();
  const name: StatusName | 'hidden' = error instanceof DomainError ? STATUSES[error.code] : 'hidden';
  if (!(error instanceof DomainError) || name === 'hidden') {
    metadata.set('x-error-code', 'internal');
    return { code: STATUS.INTERNAL, details: 'Internal error', metadata };
  }
  metadata.set('x-error-code', error.code);
  if (error instanceof RetryLater) metadata.set('retry-after', String(error.retryAfterSeconds));
  return { code: STATUS[name], details: wordsOf(error), metadata };
}

/** What metadata can carry of any text; one that is cut inside a pair of surrogates would throw on the way. */
export function sendable(text: string): string {
  const short = text.length > MAXIMUM_DETAILS_LENGTH ? `${text.slice(0, MAXIMUM_DETAILS_LENGTH - 1)}…` : text;
  return Buffer.from(short).toString();
}

/** Whether the log shall say what the client is not told, or that the service fell short. */
export function isOurFault({ code, metadata }: Failure): boolean {
  if (code === STATUS.INTERNAL) return true;
  return code === STATUS.UNAVAILABLE && metadata.get('x-error-code')[0] === 'engine-lost';
}

function wordsOf(error: DomainError): string {
  if (!(error instanceof InvalidRequest) || error.faults.length === 0) return error.message;
  const faults = error.faults.map(
    (fault) => `${'pointer' in fault ? fault.pointer : fault.parameter}: ${fault.detail}`,
  );
  return `${error.message} ${faults.join('; ')}`;
}
