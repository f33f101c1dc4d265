import { chmod } from 'node:fs/promises';
import { join } from 'node:path';

/** Nobody's user, where the system knows none by that name. */
const NOBODY = 65_534;

/**
 * What `work` does while nothing can be written in the folder `name` of `root`: nobody may, and this process is not root
 * meanwhile, whom permissions do not bind. For work that waits for no other test.
 */
export async function whileReadOnly<Result>(root: string, name: string, work: () => Promise<Result>): Promise<Result> {
  const isRoot = process.geteuid?.() === 0;
  await chmod(root, 0o755); // a temporary folder is its owner's only
  await chmod(join(root, name), 0o555);
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(join(root, name), 0o755);
  }
}
