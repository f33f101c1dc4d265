import { execFileSync, spawnSync } from 'node:child_process';

/** Why `whileFilesAreAtMost` cannot work here, or false: for a test's `skip`. */
export const noFileLimit =
  spawnSync('prlimit', ['--version']).status === 0 ? false : 'there is no prlimit(1) to make a disk that is full';

/**
 * What `work` does while this process may write no file longer than `bytes`, which a file system that is full looks like:
 * the system refuses to write more in the same way.
 */
export async function whileFilesAreAtMost<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
  const limitTo = (size: string) => execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${size}:`]);
  limitTo(String(bytes));
  try {
    return await work();
  } finally {
    limitTo('unlimited');
  }
}
