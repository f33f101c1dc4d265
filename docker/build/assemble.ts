import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle, type Entries, modulesOf } from '@atelier/compiled-entries';
import { installedPackages } from './installed-packages.ts';
import { isNeeded, UNNEEDED } from './needed-files.ts';
import { type ServiceName, type ServiceParts, SERVICES } from './services.ts';

/** Modules that ask where what they start lies, or whether it is compiled. */
const MOVED = /[\\/](entries|inference-checks|trainer-checks)\.ts$/;

/** Everything in the image is found where it was when the bundle was made, so both are in the same place. */
export interface Assembly {
  /** The repository with what `npm ci --omit=dev --workspace services/<name>` installs. */
  root: string;
  /** Where to put what lies in `root` in the image. */
  target: string;
  /** Further packages for this kind of image. */
  packages?: readonly string[];
}

/**
 * Puts together what a service needs at run time: a bundle of its programs, the packages outside of it, and its files.
 * Resolves to the folders of all packages that are in it, bundled or not.
 */
export async function assemble(name: ServiceName, { root, target, packages = [] }: Assembly): Promise<string[]> {
  const parts: ServiceParts = SERVICES[name];
  const service = join(root, 'services', name);
  const { ENTRIES } = (await import(pathToFileURL(join(service, parts.entries)).href)) as { ENTRIES: Entries<string> };
  const modules = modulesOf(ENTRIES);
  for (const program of parts.programs) modules[basename(program, '.ts')] = join(service, program);
  const { files, sources } = await bundle({ modules, external: parts.outside, moved: MOVED });
  const compiled = join(target, 'services', name, 'compiled');
  mkdirSync(compiled, { recursive: true });
  for (const file of files) writeFileSync(join(compiled, file.name), file.contents);

  const own = foldersOf(sources, /^.*\/(packages|services)\/[^/]+(?=\/src\/)/);
  for (const folder of own) copy(root, target, relative(root, join(folder, 'package.json')));
  for (const path of parts.files) copy(root, target, relative(root, join(service, path)));
  for (const path of filesAmongSource(root, sources)) copy(root, target, path);
  const outside = installedPackages(root, [...parts.packages, ...packages], UNNEEDED);
  for (const { name: packageName, folder } of outside) copyPackage(packageName, folder, root, target);
  const bundled = foldersOf(sources, /^.*\/node_modules\/(@[^/]+\/)?[^/]+(?=\/)/);
  writeFileSync(join(compiled, 'LICENCES.txt'), licencesOf(bundled));
  return [...new Set([...own, ...bundled, ...outside.map(({ folder }) => folder)])];
}

function copy(root: string, target: string, path: string): void {
  cpSync(join(root, path), join(target, path), { recursive: true, verbatimSymlinks: true });
}

function copyPackage(name: string, folder: string, root: string, target: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const inPackage = relative(folder, path);
    if (entry.isDirectory() || /(^|\/)node_modules\//.test(inPackage) || !isNeeded(name, inPackage)) continue;
    copy(root, target, relative(root, path));
  }
}

/** What lies among the source of the bundled modules and is no module: their modules read it. */
function filesAmongSource(root: string, sources: readonly string[]): string[] {
  const folders = new Set(
    sources.flatMap((path) => /^((packages|services)\/[^/]+\/src)\//.exec(relative(root, path))?.[1] ?? []),
  );
  return [...folders].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  );
}

/** The folders of the packages that bundled files are from. */
function foldersOf(sources: readonly string[], folder: RegExp): string[] {
  return [...new Set(sources.flatMap((path) => folder.exec(path)?.[0] ?? []))].sort();
}

/** The licences of the packages in the bundle, whose folders do not come into the image. */
function licencesOf(folders: readonly string[]): string {
  const texts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Licensed;
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const text = files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
    return `${name} ${version} (${license ?? 'no licence named'})\n\n${text}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

interface Licensed {
  name: string;
  version: string;
  license?: string;
}
