import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { STAGING_PREFIX } from './repository.ts';

/** Resolves when the file is on the disk; its folder is made where there is none. */
export async function writeSynced(path: string, data: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, data);
  await sync(path);
}

/** Replaces a small file whole: a reader sees the old one or the new one, and after a loss of power one of them is there. */
export async function replaceSynced(path: string, data: string): Promise<void> {
  const staging = join(dirname(path), `${STAGING_PREFIX}${randomUUID()}`);
  try {
    await writeSynced(staging, data);
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true });
    throw error;
  }
  await sync(dirname(path)); // the rename itself
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
