import { randomUUID } from 'node:crypto';
import { lstat, mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DomainError, hasCode, messageOf } from '@atelier/domain';
import { storageError } from './runs/whole-file.ts';

/**
 * Finds out before hours of work that nothing can be written in a folder, which may be missing as long as it can be made:
 * `invalid-configuration` names it and the environment variable that it comes from. Leaves nothing behind: what is refused
 * later for another reason has made no folder. `disk-full` where there is no room for one.
 */
export async function requireWritable(directory: string, variable: string): Promise<void> {
  try {
    // Permissions alone do not tell: root may write everywhere.
    const trial = join(await nearestFolder(directory), `.${randomUUID()}`);
    await mkdir(trial);
    await rmdir(trial);
  } catch (cause) {
    const error = storageError(cause, directory);
    if (hasCode(error, 'disk-full')) throw error;
    const message = `${directory} is no folder that can be written (${variable}): ${messageOf(cause)}`;
    throw new DomainError('invalid-configuration', message, { cause });
  }
}

/** The folder itself, or the one that it would be made in. */
async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch(nullWhereMissing);
  if (found === null) {
    if ((await lstat(path).catch(nullWhereMissing)) !== null) throw new Error(`${path} is a link to nothing`);
    return nearestFolder(dirname(path));
  }
  if (!found.isDirectory()) throw new Error(`${path} is a file`);
  return path;
}

function nullWhereMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
