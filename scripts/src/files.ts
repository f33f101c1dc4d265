import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { messageOf } from '@atelier/domain';

/** Null where there is no such file. */
export async function readTextIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes beside and renames, so that nobody sees half a file and a failure leaves nothing. */
export async function writeWholeFile(path: string, data: Uint8Array | string): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, data);
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    throw new Error(`${path} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
