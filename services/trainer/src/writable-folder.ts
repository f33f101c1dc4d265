import { randomUUID } from 'node:crypto';
import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';

/**
 * Finds out before hours of work that nothing can be written in a folder, which may be missing as long as it can be made.
 * Leaves nothing behind: what is refused later for another reason has made no folder.
 */
export async function requireWritable(directory: string, variable: string): Promise<void> {
  try {
    // Permissions alone do not tell: root may write everywhere.
    const trial = join(await nearestFolder(directory), `.${randomUUID()}`);
    await mkdir(trial);
    await rmdir(trial);
  } catch (cause) {
    const message = `${variable}=${directory} is no folder that can be written: ${messageOf(cause)}`;
    throw new DomainError('invalid-configuration', message, { cause });
  }
}

/** The folder itself, or the one that it would be made in. */
async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null) return nearestFolder(dirname(path));
  if (!found.isDirectory()) throw new Error(`${path} is a file`);
  return path;
}
