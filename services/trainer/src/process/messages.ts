import { DomainError, type ErrorCode, messageOf } from '@atelier/domain';
import type { DownloadProgress } from '@atelier/fashion-mnist';
import type { EpochReport } from '../epoch-report.ts';
import type { Progress } from '../fit.ts';
import type { Run } from '../runs/run.ts';
import type { TrainingResult } from '../train.ts';
import type { TrainingTask } from './task.ts';

/** First `start`; then `interrupt`, at any time. */
export type ToTraining = { kind: 'start'; task: TrainingTask } | { kind: 'interrupt' };

/** What happens, and at last `finished` or `failed`. */
export type FromTraining =
  | { kind: 'notice'; message: string }
  | { kind: 'download'; progress: DownloadProgress }
  | { kind: 'run'; run: Run; directory: string }
  | { kind: 'progress'; progress: Progress }
  | { kind: 'epoch'; report: EpochReport }
  | { kind: 'finished'; result: TrainingResult }
  | { kind: 'failed'; error: SentError };

/** An error as a message: what callers distinguish errors by is kept. */
export interface SentError {
  kind: 'DomainError' | 'RangeError' | 'Error';
  code: ErrorCode | null;
  details: DomainError['details'];
  message: string;
  stack: string | undefined;
  cause: SentError | null;
}

export function sentError(thrown: unknown): SentError {
  if (!(thrown instanceof Error)) {
    return { kind: 'Error', code: null, details: {}, message: messageOf(thrown), stack: undefined, cause: null };
  }
  return {
    kind: thrown instanceof DomainError ? 'DomainError' : thrown instanceof RangeError ? 'RangeError' : 'Error',
    code: thrown instanceof DomainError ? thrown.code : null,
    details: thrown instanceof DomainError ? thrown.details : {},
    message: thrown.message,
    stack: thrown.stack,
    cause: thrown.cause === undefined ? null : sentError(thrown.cause),
  };
}

/** The error that `sentError` took apart, with the stack that it had where it arose. */
export function receivedError(sent: SentError): Error {
  const { kind, code, details, message, stack } = sent;
  const options = sent.cause === null ? {} : { cause: receivedError(sent.cause) };
  const error =
    kind === 'DomainError' && code !== null
      ? new DomainError(code, message, { details, ...options })
      : new (kind === 'RangeError' ? RangeError : Error)(message, options);
  if (stack !== undefined) error.stack = stack;
  return error;
}
