import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, type BundledFile } from './bundle.ts';
import { stateOfSource } from './state-of-source.ts';

/** Modules that processes or threads are started with. */
export interface Entries<Name extends string> {
  /** What the bundle is called in the cache. */
  label: string;
  /** The `import.meta.url` of a module in the folder of the entries. */
  beside: string;
  /** Entries are `<name>.ts` there, or elsewhere relative to it: `folder/name`. */
  names: readonly Name[];
  /** Packages that stay outside, because they are native, large or seldom needed: loaded from where they are installed. */
  external: RegExp;
}

/**
 * The paths of entries as JavaScript. From source they are bundled once per state of the source into
 * `node_modules/.cache`: a process that loads some hundred modules of TypeScript starts a second later and holds 60 MB more. Where that
 * folder cannot be written they go into a new folder for temporary files, whose name nobody can guess. Compiled code has
 * them beside it.
 */
export function compiledEntries<Name extends string>(entries: Entries<Name>): Promise<Readonly<Record<Name, string>>> {
  const known = folders.get(entries.label);
  const folder =
    known ??
    findOrBundle(entries).catch((error: unknown) => {
      folders.delete(entries.label); // a disk that is full now may have room for the next
      throw error;
    });
  folders.set(entries.label, folder);
  return folder.then(
    (place) =>
      Object.fromEntries(entries.names.map((name) => [name, join(place, `${fileName(name)}.mjs`)])) as Record<
        Name,
        string
      >,
  );
}

/** The paths of the modules that entries name, by what their bundle is called. */
export function modulesOf({ beside, names }: Pick<Entries<string>, 'beside' | 'names'>): Record<string, string> {
  return Object.fromEntries(names.map((name) => [fileName(name), fileURLToPath(new URL(`${name}.ts`, beside))]));
}

function fileName(name: string): string {
  return name.replace(/^(\.\.\/)+/, '').replaceAll('/', '-');
}

/** By label. */
const folders = new Map<string, Promise<string>>();

async function findOrBundle(entries: Entries<string>): Promise<string> {
  const beside = fileURLToPath(new URL('.', entries.beside));
  if (!entries.beside.endsWith('.ts')) return beside;
  const installed = installationOf(beside);
  const cache = cacheOf(installed);
  const name = `${entries.label}-${stateOfSource(installed)}`;
  setInterval(() => void touch(join(cache, name)), UNUSED_MS / 7).unref();
  if (existsSync(join(cache, name))) {
    await touch(join(cache, name));
    return join(cache, name);
  }
  const { files } = await bundle({ modules: modulesOf(entries), external: entries.external });
  await forgetUnused(cache, entries.label).catch(() => undefined); // the disk is none the worse
  return place(cache, name, files).catch(async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'atelier-'));
    process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
    await symlink(join(installed, 'node_modules'), join(temporary, 'node_modules')); // what is imported by name
    return place(temporary, name, files);
  });
}

/** Where the bundles of the module at this URL are kept; null for compiled code, which has them beside it. */
export function bundleCache(beside: string): string | null {
  return beside.endsWith('.ts') ? cacheOf(installationOf(fileURLToPath(new URL('.', beside)))) : null;
}

function cacheOf(installed: string): string {
  return join(installed, 'node_modules', '.cache', 'atelier');
}

/** The folder in whose `node_modules` everything is installed. */
function installationOf(start: string): string {
  let folder = start;
  while (!existsSync(join(folder, 'node_modules', '@atelier'))) {
    if (dirname(folder) === folder) throw new Error(`The packages of Atelier are not installed above ${start}.`);
    folder = dirname(folder);
  }
  return folder;
}

/**
 * Bundles that no process was started with for so long are of a source that is gone. One that runs longer says every day that
 * its own are in use: it may yet load parts of them, or start others with them.
 */
const UNUSED_MS = 7 * 24 * 60 * 60 * 1000;

async function touch(folder: string): Promise<void> {
  const now = new Date();
  await utimes(folder, now, now).catch(() => undefined); // whose cache cannot be written forgets nothing either
}

async function forgetUnused(cache: string, label: string): Promise<void> {
  // With a dot: what was not placed, as its process was killed meanwhile.
  const names = (await readdir(cache)).filter((name) => name.replace(/^\./, '').startsWith(`${label}-`));
  for (const path of names.map((name) => join(cache, name))) {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > UNUSED_MS) await rm(path, { recursive: true, force: true });
  }
}

/** Written beside and renamed: several processes may do this at once, and all write the same. */
async function place(folder: string, name: string, files: readonly BundledFile[]): Promise<string> {
  const staging = join(folder, `.${name}-${randomUUID()}`);
  const target = join(folder, name);
  try {
    await mkdir(staging, { recursive: true });
    for (const file of files) await writeFile(join(staging, file.name), file.contents);
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined); // there may be no folder that it could be in
    if (!existsSync(target)) throw error; // another was first
  }
  return target;
}
