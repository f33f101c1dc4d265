import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Folders of workspaces whose source may go into a bundle. */
const FOLDERS = ['packages', 'services'];

/** The source of the command line and of the benchmarks, which containers do without. */
const SCRIPTS = ['scripts/src', 'scripts/bench'];

/** Changes with every edit of what may go into a bundle, with what is installed, and with Node. */
export function stateOfSource(installed: string): string {
  const hash = createHash('sha256').update(process.version);
  const note = (path: string) => {
    const { mtimeMs, size } = statSync(join(installed, path));
    hash.update(`${installed}/${path} ${mtimeMs} ${size}\n`);
  };
  note('package-lock.json');
  const sources = FOLDERS.flatMap((folder) =>
    readdirSync(join(installed, folder))
      .sort()
      .map((workspace) => join(folder, workspace, 'src')),
  );
  for (const source of [...sources, ...SCRIPTS.filter((folder) => existsSync(join(installed, folder)))]) {
    for (const file of readdirSync(join(installed, source), { recursive: true, encoding: 'utf8' }).sort()) {
      if (/\.[jt]s$/.test(file)) note(join(source, file)); // generated code is JavaScript
    }
  }
  return hash.digest('hex').slice(0, 16);
}
