import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';

/** No room on the disk, in the quota, or below the largest size that this process may write. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Writes the whole file or leaves the one there was; `disk-full` where there is no room, `invalid-run` where nothing can be written. */
export async function writeWholeFile(path: string, data: Uint8Array | string): Promise<void> {
  await writeBeside(path, [data]);
  await putInPlace(path);
}

/** The same for a process that is about to exit and can wait for nothing; the error is as the system gives it. */
export function writeWholeFileNow(path: string, data: string): void {
  try {
    writeFileSync(besides(path), data, { flush: true });
    renameSync(besides(path), path);
  } catch (error) {
    rmSync(besides(path), { force: true });
    throw error;
  }
}

/** The first half of writing a whole file: the pieces lie beside it and on the disk, and count for nothing yet. */
export async function writeBeside(path: string, pieces: readonly (Uint8Array | string)[]): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(besides(path), pieces, { flush: true });
  } catch (error) {
    await rm(besides(path), { force: true }).catch(() => undefined); // makes room for saying so
    throw storageError(error, path);
  }
}

/** The second half: what lies beside takes the file's place, at once or not at all. */
export async function putInPlace(path: string): Promise<void> {
  try {
    await rename(besides(path), path);
  } catch (error) {
    throw storageError(error, path);
  }
}

/** Where a file lies while it is not whole. */
export function besides(path: string): string {
  return `${path}.part`;
}

/** Places that no process of ours may write: a disk that is read-only, a folder of another user, a file for a folder. */
const CLOSED = ['EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EISDIR'];

/** `disk-full` or `invalid-run`, naming what was written, for an error that says so; any other error as it is. */
export function storageError(error: unknown, what: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (CLOSED.includes(code)) {
    return new DomainError('invalid-run', `${what} cannot be written: ${messageOf(error)}`, { cause: error });
  }
  if (!FULL.includes(code)) return error;
  return new DomainError('disk-full', `There is no room to write ${what}: ${messageOf(error)}`, { cause: error });
}
