import { rename, rm, writeFile } from 'node:fs/promises';
import { messageOf } from '@atelier/domain';

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
