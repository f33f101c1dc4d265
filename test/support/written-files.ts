import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

let count = 0;

/** Files, texts by their paths, under a new folder in `folder`; its path. */
export async function writtenFiles(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, `written-${++count}`);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}
