import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contents, type DatasetFile, type Edition, PARTS } from './edition.ts';

/** Keeps all four files; see `saveFile`. */
export async function saveAll(folder: string, edition: Edition, contents: Contents): Promise<void> {
  for (const part of PARTS) await saveFile(folder, edition[part], contents[part]);
}

/**
 * Keeps a verified file decompressed, which loads fastest. It is written beside and renamed, so a reader sees the whole
 * file or none, and two processes at once do no harm. A corrupt `.gz` and an unfinished download of it go away.
 */
export async function saveFile(folder: string, file: DatasetFile, bytes: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, file.name);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeSynced(temporary, bytes);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  for (const obsolete of [`${path}.gz`, partPathOf(folder, file)]) await rm(obsolete, { force: true });
}

/** Where an unfinished download waits to be resumed. */
export function partPathOf(folder: string, file: DatasetFile): string {
  return join(folder, `${file.name}.gz.part`);
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
