import { randomUUID } from 'node:crypto';
import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';

/** Makes a folder where it is missing, and finds out before hours of work that nothing can be written there. */
export async function requireWritable(directory: string, variable: string): Promise<void> {
  try {
    await makeFolder(directory);
    const trial = join(directory, `.${randomUUID()}`); // permissions alone do not tell: root may write everywhere
    await mkdir(trial);
    await rmdir(trial);
  } catch (cause) {
    const message = `${variable}=${directory} is no folder that can be written: ${messageOf(cause)}`;
    throw new DomainError('invalid-configuration', message, { cause });
  }
}

/**
 * Level by level, because Node's recursive `mkdir` never ends on a file system that answers ENOENT for a folder whose parent
 * exists, as /proc does.
 */
async function makeFolder(directory: string): Promise<void> {
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found?.isDirectory()) return;
  if (found !== null) throw new Error('it is a file');
  await makeFolder(dirname(directory));
  await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error; // another process was faster
  });
}
