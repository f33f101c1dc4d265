import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A package where npm has put it. */
export interface InstalledPackage {
  name: string;
  folder: string;
}

interface PackageFile {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/**
 * Packages and all that they depend on, without those called in `unneeded`. An optional one that is not installed, for
 * another system say, is left out; any other one that is missing is an error.
 */
export function installedPackages(
  root: string,
  names: readonly string[],
  unneeded: ReadonlySet<string>,
): InstalledPackage[] {
  const found = new Map<string, InstalledPackage>();
  const visit = (name: string, from: string, isOptional: boolean) => {
    if (unneeded.has(name)) return;
    const folder = findFrom(name, from, root);
    if (folder === undefined) {
      if (isOptional) return;
      throw new Error(`${name}, which ${from} depends on, is not installed in ${root}.`);
    }
    if (found.has(folder)) return;
    found.set(folder, { name, folder });
    const { dependencies, optionalDependencies, peerDependencies } = read(folder);
    const optional = { ...peerDependencies, ...optionalDependencies };
    for (const next of Object.keys({ ...dependencies, ...optional })) visit(next, folder, next in optional);
  };
  for (const name of names) visit(name, root, false);
  return [...found.values()];
}

/** As Node looks for it: in the `node_modules` of each folder above. */
function findFrom(name: string, start: string, root: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === root || folder === dirname(folder)) return undefined;
  }
}

function read(folder: string): PackageFile {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageFile;
}
