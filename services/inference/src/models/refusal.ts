import { basename, sep } from 'node:path';
import { DomainError, type ErrorCode, messageOf } from '@atelier/domain';

/** What is wrong with the files of a version: trying again is of use only when these have changed. */
const VERDICTS: readonly ErrorCode[] = [
  'invalid-manifest',
  'digest-mismatch',
  'malformed-onnx',
  'contract-mismatch',
  'golden-mismatch',
];

/** Of a failure that says nothing of the files, such as an engine that died; what fails so often is at fault itself. */
const MAXIMUM_ATTEMPTS = 3;

/** Why a version was not loaded. */
export interface Refusal {
  /** Of its files when it was tried. */
  signature: string;
  fault: DomainError;
  attempts: number;
  /** When it may be tried again though its files are the same, in ms as `performance.now` counts them; Infinity: never. */
  retryAt: number;
}

export function refuse(error: unknown, signature: string, before: Refusal | undefined, pauseMs: number): Refusal {
  const fault = asDomainError(error);
  const attempts = before?.signature === signature ? before.attempts + 1 : 1;
  const isFinal = VERDICTS.includes(fault.code) || attempts >= MAXIMUM_ATTEMPTS;
  const retryAt = isFinal ? Infinity : performance.now() + pauseMs * 2 ** (attempts - 1);
  return { signature, fault, attempts, retryAt };
}

/** `code: message` for a stranger: see `tellable`. */
export function reasonOf({ code, message }: DomainError, root: string): string {
  return `${code}: ${tellable(message, root)}`;
}

/** Paths in the repository begin there, others are cut to their last name. */
export function tellable(message: string, root: string): string {
  return message
    .replaceAll(root + sep, '')
    .replaceAll(/(?<![\w.:/~-])(\/[^\s/'"`,;:()]+){2,}/g, (path) => basename(path));
}

function asDomainError(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  return new DomainError('internal', messageOf(error), { cause: error });
}
