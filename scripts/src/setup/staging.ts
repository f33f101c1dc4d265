import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Lends a folder on the disk of `node_modules`, so that what is whole in it goes to its place by a rename; it is gone
 * afterwards, with whatever was half done.
 */
export async function withStaging<T>(root: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(root, 'node_modules', '.atelier-setup-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
