import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';
import { STAGING_PREFIX } from './repository.ts';

/** Resolves when the file is on the disk; its folder is made where there is none. */
export async function writeSynced(path: string, data: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, data);
  await sync(path);
}

/**
 * Replaces a small file whole: a reader sees the old one or the new one, and after a loss of power one of them is there.
 * `disk-full` where there is no room, `repository-not-writable` where nothing can be written; then nothing has changed.
 */
export async function replaceSynced(path: string, data: string): Promise<void> {
  const staging = join(dirname(path), `${STAGING_PREFIX}${randomUUID()}`);
  try {
    await writeSynced(staging, data);
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true }).catch(() => undefined); // what failed first is what is told
    throw writeFault(error, path);
  }
  await sync(dirname(path)); // the rename itself
}

/** No room on the disk, in the quota, or below the largest size that this process may write. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** A disk that is read-only, a folder of another user, a folder in the place of a file or the other way round. */
const CLOSED = ['EROFS', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR'];

function writeFault(cause: unknown, path: string): unknown {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (FULL.includes(code)) {
    return new DomainError('disk-full', `There is no room to write ${path}: ${messageOf(cause)}`, { cause });
  }
  if (!CLOSED.includes(code)) return cause;
  return new DomainError('repository-not-writable', `${path} cannot be written: ${messageOf(cause)}`, { cause });
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
