import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where source lies that may go into a bundle. */
const FOLDERS = ['packages', 'services'];

/** Changes with every edit of what may go into a bundle, with what is installed, and with Node. */
export function stateOfSource(installed: string): string {
  const hash = createHash('sha256').update(process.version);
  const note = (path: string) => {
    const { mtimeMs, size } = statSync(join(installed, path));
    hash.update(`${installed}/${path} ${mtimeMs} ${size}\n`);
  };
  note('package-lock.json');
  for (const folder of FOLDERS) {
    for (const workspace of readdirSync(join(installed, folder)).sort()) {
      const source = join(folder, workspace, 'src');
      for (const file of readdirSync(join(installed, source), { recursive: true, encoding: 'utf8' }).sort()) {
        if (file.endsWith('.ts')) note(join(source, file));
      }
    }
  }
  return hash.digest('hex').slice(0, 16);
}
