import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { note } from '../output.ts';

/** How often it is looked, and how much more is worth a line where there is no terminal. */
const LOOK_MS = 500;
const LINE_MEGABYTES = 50;

/** Says how many megabytes lie in a folder, into which another program fetches; `stop` ends it. */
export function watchFetch(folder: string): { stop(): void } {
  let told = 0;
  const look = async () => {
    const megabytes = Math.floor((await bytesIn(folder)) / 1e6);
    if (process.stderr.isTTY) process.stderr.write(`\r  fetched ${megabytes} MB `);
    else if (megabytes >= told + LINE_MEGABYTES) {
      told = megabytes;
      note(`  fetched ${megabytes} MB`);
    }
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      if (process.stderr.isTTY) process.stderr.write('\n');
    },
  };
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size), // gone meanwhile: the next look counts
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
