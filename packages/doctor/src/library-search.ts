import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Where shared libraries are looked for (Linux). */
export interface LibraryPlaces {
  /** LD_LIBRARY_PATH, and folders in which a library looks for those beside it. */
  folders: readonly string[];
  /** What `ldconfig -p` prints, or '' where there is no such program. */
  cache: string;
  /** Where libraries often lie without the linker being told. */
  unlinked: readonly string[];
}

export interface FoundLibrary {
  /** The file itself, behind all links. */
  path: string;
  /** As far as the name of the file tells: 12.4.127 of libcudart.so.12.4.127. */
  version: string;
  /** Whether a program that asks for it by its name gets it. */
  isLinked: boolean;
}

/** The places of this process, whose environment is given. */
export function libraryPlaces(environment: Readonly<Record<string, string | undefined>>): LibraryPlaces {
  return {
    folders: (environment['LD_LIBRARY_PATH'] ?? '').split(':').filter(Boolean),
    cache: linkerCache(),
    unlinked: toolkits('/usr/local'),
  };
}

/** Finds a library by its soname, such as `libcudart.so.12`; null where there is none. */
export function findLibrary(soname: string, { folders, cache, unlinked }: LibraryPlaces): FoundLibrary | null {
  const linked =
    folders.map((folder) => join(folder, soname)).find(existsSync) ??
    cachedPaths(cache, soname).find((path) => existsSync(path));
  const path = linked ?? unlinked.map((folder) => join(folder, soname)).find(existsSync);
  if (path === undefined) return null;
  const file = realpathSync(path);
  return { path: file, version: versionIn(basename(file)) || versionIn(soname), isLinked: linked !== undefined };
}

/** The versions of a library that are there under any number, such as 13.0.96 for `libcudart`: what there is instead. */
export function otherVersions(stem: string, { folders, cache, unlinked }: LibraryPlaces): string[] {
  const names = new RegExp(`^${stem}\\.so\\.[0-9.]+$`);
  const inFolders = [...folders, ...unlinked].flatMap((folder) =>
    namesIn(folder)
      .filter((name) => names.test(name))
      .map((name) => join(folder, name)),
  );
  const inCache = cache
    .split('\n')
    .map((line) => / => (\S+)$/.exec(line)?.[1] ?? '')
    .filter((path) => names.test(basename(path)) && existsSync(path));
  const files = [...inFolders, ...inCache].map((path) => basename(realpathSync(path)));
  return [...new Set(files.map(versionIn).filter(Boolean))].sort();
}

/** A line is "libz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1"; those of other architectures do not count. */
function cachedPaths(cache: string, soname: string): string[] {
  const architecture = process.arch === 'arm64' ? 'AArch64' : 'x86-64';
  return cache
    .split('\n')
    .filter((line) => line.trim().startsWith(`${soname} (`) && line.includes(architecture))
    .map((line) => / => (\S+)$/.exec(line)?.[1] ?? '');
}

function versionIn(name: string): string {
  return /\.so\.([0-9.]+)$/.exec(name)?.[1] ?? '';
}

function linkerCache(): string {
  for (const program of ['/sbin/ldconfig', '/usr/sbin/ldconfig', 'ldconfig']) {
    try {
      return execFileSync(program, ['-p'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 5_000 });
    } catch {
      // Not there, or not on this system.
    }
  }
  return '';
}

function toolkits(root: string): string[] {
  return namesIn(root)
    .filter((name) => /^cuda(-|$)/.test(name))
    .flatMap((name) => ['lib64', 'lib'].map((folder) => join(root, name, folder)))
    .filter(existsSync);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
