import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { DomainError, messageOf } from '@atelier/domain';

/** Makes a folder where it is missing, and finds out before hours of work that nothing can be written there. */
export async function requireWritable(directory: string, variable: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
  } catch (cause) {
    const message = `${variable}=${directory} is no folder that can be written: ${messageOf(cause)}`;
    throw new DomainError('invalid-configuration', message, { cause });
  }
}
