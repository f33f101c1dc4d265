import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '@atelier/domain';
import { withDebianPackage } from '@atelier/fashion-mnist';
import { ROOT } from './programs.ts';

/** How to start a Redis server. */
export interface RedisProgram {
  readonly path: string;
  readonly environment: Record<string, string>;
}

/** The server is this program under another name. */
const PACKAGE = 'redis-tools';
const INSIDE = 'usr/bin/redis-check-rdb';

/** The packages of libraries that a small image of Debian lacks; Ubuntu has the third under another name. */
const LIBRARIES: Record<string, string> = {
  'libatomic.so.1': 'libatomic1',
  'libjemalloc.so.2': 'libjemalloc2',
  'liblzf.so.1': 'liblzf1',
  'libssl.so.3': 'libssl3',
  'libcrypto.so.3': 'libssl3',
  'libsystemd.so.0': 'libsystemd0',
};

const CACHE = join(ROOT, 'data', 'redis');
const TOOLS = { aptGet: 'apt-get', dpkgDeb: 'dpkg-deb' };

/**
 * The `redis-server` of this machine; where none is on `searchPath`, Debian's is fetched once into `cache`, without root.
 * Rejects with what kept it from coming.
 */
export async function redisProgram(searchPath = process.env['PATH'] ?? '', cache = CACHE): Promise<RedisProgram> {
  const installed = searchPath
    .split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find(existsSync);
  if (installed !== undefined) return { path: installed, environment: {} };
  if (!existsSync(join(cache, 'redis-server'))) await fetchInto(cache);
  return { path: join(cache, 'redis-server'), environment: { LD_LIBRARY_PATH: cache } };
}

/** Filled beside and renamed, so that what is there is whole. */
async function fetchInto(cache: string): Promise<void> {
  await mkdir(join(cache, '..'), { recursive: true });
  const beside = await mkdtemp(`${cache}-`);
  try {
    await withDebianPackage(PACKAGE, TOOLS, AbortSignal.timeout(5 * 60_000), async (root) => {
      await copyFile(join(root, INSIDE), join(beside, 'redis-server'));
    });
    await chmod(join(beside, 'redis-server'), 0o755);
    for (const name of new Set((await missingLibraries(beside)).map(packageOf))) await fetchLibraries(name, beside);
    const missing = await missingLibraries(beside);
    if (missing.length > 0) throw new Error(`Debian's redis-server lacks ${missing.join(', ')} here`);
    await rm(cache, { recursive: true, force: true });
    await rename(beside, cache);
  } catch (cause) {
    const missing = 'No redis-server is on this machine (install it, or set REDIS_URL to a Redis that tests may use)';
    throw new Error(`${missing}, and none could be fetched: ${messageOf(cause)}`, { cause });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

async function fetchLibraries(name: string, folder: string): Promise<void> {
  await withDebianPackage(name, TOOLS, AbortSignal.timeout(5 * 60_000), async (root) => {
    const files = await readdir(root, { recursive: true, withFileTypes: true });
    for (const file of files.filter(({ name }) => name.includes('.so')))
      await copyFile(join(file.parentPath, file.name), join(folder, file.name));
  });
}

function packageOf(library: string): string {
  const name = LIBRARIES[library];
  if (name === undefined) throw new Error(`redis-server wants ${library}, of which the package is not known here`);
  return name;
}

async function missingLibraries(folder: string): Promise<string[]> {
  const environment = { ...process.env, LD_LIBRARY_PATH: folder };
  const { stdout } = await promisify(execFile)('ldd', [join(folder, 'redis-server')], { env: environment });
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map(([, library]) => library ?? '');
}
