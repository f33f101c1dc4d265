import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readText } from './run.ts';
import { storageError } from './whole-file.ts';

const CANCEL_FILE = 'cancel-requested';

/**
 * Asks whoever works on a run to end it; on whatever machine, since the folder is all that they surely share. `reason` is a
 * sentence for people.
 */
export async function requestCancel(directory: string, reason: string): Promise<void> {
  const path = join(directory, CANCEL_FILE);
  await writeFile(path, reason).catch((error: unknown) => {
    throw storageError(error, path);
  });
}

/** Why somebody wants the run cancelled, or null where nobody does. */
export async function readCancelRequest(directory: string): Promise<string | null> {
  return readText(join(directory, CANCEL_FILE));
}

export async function forgetCancelRequest(directory: string): Promise<void> {
  await rm(join(directory, CANCEL_FILE), { force: true });
}
