import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

const SOURCE = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = join(SOURCE, '..', '..', '..', 'packages');

/** Our packages that go into the bundle. */
const BUNDLED = ['domain', 'evaluation', 'pictures', 'reports'];

/** Entries of the processes that compute: TypeScript beside this file. */
export const ENTRIES = ['compute-main', 'engine-thread', 'bulk-main'] as const;
type EntryName = (typeof ENTRIES)[number];
export type CompiledEntries = Readonly<Record<EntryName, string>>;

/**
 * The paths of the entries as JavaScript. From source they are bundled once per state of the source into
 * `node_modules/.cache`: a process that loads TypeScript starts 0.4 s later and holds 60 MB more. Where that folder cannot
 * be written they go into a new folder for temporary files, whose name nobody can guess. Compiled code has them beside it.
 */
export function compiledEntries(): Promise<CompiledEntries> {
  return (entries ??= findOrBundle().catch((error: unknown) => {
    entries = undefined; // a disk that is full now may have room for the next
    throw error;
  }));
}

/** Once a process: its end of the bundler would leave another's bundle waiting for ever. */
let entries: Promise<CompiledEntries> | undefined;

async function findOrBundle(): Promise<CompiledEntries> {
  if (!import.meta.url.endsWith('.ts')) return pathsIn(fileURLToPath(new URL('.', import.meta.url)));
  const cache = join(packageFolder(), 'node_modules', '.cache', 'atelier');
  const name = `compute-${stateOfSource()}`;
  if (existsSync(join(cache, name))) return pathsIn(join(cache, name));
  const files = await bundle();
  const folder = await place(cache, name, files).catch(async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'atelier-'));
    process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
    return place(temporary, name, files);
  });
  return pathsIn(folder);
}

function pathsIn(folder: string): CompiledEntries {
  const path = (name: EntryName) => join(folder, `${name}.mjs`);
  return {
    'compute-main': path('compute-main'),
    'engine-thread': path('engine-thread'),
    'bulk-main': path('bulk-main'),
  };
}

/** Where the packages are installed that the bundle imports. */
function packageFolder(): string {
  let folder = SOURCE;
  while (!existsSync(join(folder, 'node_modules', 'onnxruntime-node'))) {
    if (dirname(folder) === folder) throw new Error(`onnxruntime-node is not installed above ${SOURCE}.`);
    folder = dirname(folder);
  }
  return folder;
}

/** Changes with every edit of what may go into the bundle: this service and what it imports of ours. */
function stateOfSource(): string {
  const hash = createHash('sha256').update(process.version);
  const packages = BUNDLED.map((name) => join(PACKAGES, name, 'src'));
  for (const folder of [SOURCE, ...packages]) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!/\.(ts|css)$/.test(file)) continue;
      const { mtimeMs, size } = statSync(join(folder, file));
      hash.update(`${folder}/${file} ${mtimeMs} ${size}\n`);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** What bundled code reads beside itself. */
const ASSETS = [join(PACKAGES, 'reports', 'src', 'page', 'report.css')];

async function bundle(): Promise<{ path: string; contents: Uint8Array }[]> {
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    entryPoints: ENTRIES.map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outdir: 'compiled',
    outExtension: { '.js': '.mjs' },
    plugins: [outsidePackages],
    write: false,
  });
  await esbuild.stop();
  const assets = ASSETS.map(async (path) => ({ path, contents: await readFile(path) }));
  return [...outputFiles, ...(await Promise.all(assets))];
}

/** They stay outside of the bundle, found where it is installed wherever the bundle lies; so does onnxruntime, by its URL. */
const outsidePackages: Plugin = {
  name: 'packages outside',
  setup(build) {
    build.onResolve({ filter: /^(sharp|vega|vega-lite)$/ }, ({ path }) => ({
      path: import.meta.resolve(path),
      external: true,
    }));
  },
};

/** Written beside and renamed: several processes may do this at once, and all write the same. */
async function place(folder: string, name: string, files: { path: string; contents: Uint8Array }[]): Promise<string> {
  const staging = join(folder, `.${name}-${randomUUID()}`);
  await mkdir(staging, { recursive: true });
  for (const { path, contents } of files) await writeFile(join(staging, path.replace(/^.*[\\/]/, '')), contents);
  const target = join(folder, name);
  await rename(staging, target).catch((error: unknown) => {
    if (!existsSync(target)) throw error; // another was first
  });
  return target;
}
