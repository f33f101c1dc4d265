import { cp, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { messageOf } from '@atelier/domain';
import { note } from '../output.ts';
import { watchFetch } from './fetch-progress.ts';
import { runProgram } from './run-program.ts';
import { requireSharedLibrary, sha256Of } from './shared-library.ts';
import { withStaging } from './staging.ts';

export interface SetupOptions {
  /** The repository's folder. */
  root: string;
  /** A local copy, in place of the network. */
  from?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** What onnxruntime-node's install script knows of its files, as far as it is needed. */
interface InstallMetadata {
  requirements: Record<string, string[]>;
  manifests: Record<string, Record<string, { package: string; path: string }>>;
  packages: Record<string, { name: string; versions: { version: string }[] }>;
}

/** The file of a package, and where it goes. */
interface WantedFile {
  name: string;
  pathInPackage: string;
}

/**
 * Puts onnxruntime's CUDA provider beside onnxruntime: from NuGet by onnxruntime-node's own script, which runs on a copy of
 * itself, or out of a package that was fetched elsewhere. What comes must be of this version of onnxruntime, and whole
 * libraries for this processor; else nothing is changed. TensorRT's provider, which comes along, is left out.
 */
export async function setUpCudaProvider({ root, from, signal }: SetupOptions): Promise<string[]> {
  const runtime = join(root, 'node_modules', 'onnxruntime-node');
  const { version } = JSON.parse(await readFile(join(runtime, 'package.json'), 'utf8')) as { version: string };
  const { name, files } = wantedFiles(runtime, version);
  const libraries = join('bin', 'napi-v6', process.platform, process.arch);
  return withStaging(root, async (staging) => {
    const copy = join(staging, 'onnxruntime-node');
    if (from === undefined) await fetchByScript(runtime, copy, { name, version, signal });
    else await unpack(runtime, from, { name, version, files, to: join(copy, libraries) });
    const paths = files.map((file) => join(copy, libraries, file.name));
    for (const path of paths) await requireThere(path).then(() => requireSharedLibrary(path));
    const placed: string[] = [];
    for (const path of paths) {
      const target = join(runtime, libraries, basename(path));
      await rename(path, target);
      note(`  ${basename(path)}, SHA-256 ${await sha256Of(target)}`);
      placed.push(target);
    }
    return placed;
  });
}

/** The two files of the provider, the one that is looked for last: where it is, the other is too. */
function wantedFiles(runtime: string, version: string): { name: string; files: WantedFile[] } {
  const require = createRequire(join(runtime, 'package.json'));
  const { requirements, manifests, packages } = require('./script/install-metadata.js') as InstallMetadata;
  const platform = `${process.platform}/${process.arch}`;
  const files: WantedFile[] = [];
  let found: InstallMetadata['packages'][string] | undefined;
  for (const requirement of requirements[platform] ?? []) {
    for (const [path, entry] of Object.entries(manifests[`${platform}:${requirement}`] ?? {})) {
      if (!/providers_(shared|cuda)\./.test(path)) continue;
      found = packages[entry.package];
      files.push({ name: basename(path), pathInPackage: entry.path });
    }
  }
  if (found === undefined || files.length !== 2) {
    throw new Error(`onnxruntime-node ${version} has no CUDA provider for ${platform}; it has one for linux/x64.`);
  }
  if (!found.versions.some((each) => each.version === version)) {
    throw new Error(
      `onnxruntime-node ${version} would fetch ${found.name} ${found.versions.map((each) => each.version).join(', ')}, another version. Install it anew: npm ci.`,
    );
  }
  return { name: found.name, files: files.sort((a, b) => b.name.localeCompare(a.name)) };
}

async function fetchByScript(
  runtime: string,
  copy: string,
  { name, version, signal }: { name: string; version: string; signal: AbortSignal | undefined },
): Promise<void> {
  const temporary = join(copy, 'fetched');
  await mkdir(temporary, { recursive: true });
  await cp(join(runtime, 'script'), join(copy, 'script'), { recursive: true });
  await writeFile(join(copy, 'package.json'), await readFile(join(runtime, 'package.json')));
  note(`Fetching ${name} ${version} from NuGet by onnxruntime-node's own script ...`);
  const progress = watchFetch(temporary);
  try {
    await runProgram(process.execPath, [join('script', 'install.js')], {
      cwd: copy,
      // Any other value is ignored by onnxruntime-node 1.30, which then does nothing under `npm run`, with exit code 0.
      environment: { ONNXRUNTIME_NODE_INSTALL: 'true', TMPDIR: temporary },
      isShown: false,
      signal,
    });
  } catch (cause) {
    throw new Error(
      `The CUDA provider could not be fetched: ${messageOf(cause)}. Without a network fetch NuGet's package ${name}, version ${version}, ` +
        'elsewhere, and then: npm run setup:cuda -- --from FILE.',
      { cause },
    );
  } finally {
    progress.stop();
  }
}

/** Of adm-zip, which onnxruntime-node's script unpacks with; it checks the CRC of what it gives. */
type AdmZip = new (path: string) => {
  getEntries(): { entryName: string; getData(): Buffer }[];
};

async function unpack(
  runtime: string,
  from: string,
  { name, version, files, to }: { name: string; version: string; files: readonly WantedFile[]; to: string },
): Promise<void> {
  const Zip = createRequire(join(runtime, 'package.json'))('adm-zip') as AdmZip;
  const refuse = (reason: string) => new Error(`${from} is not ${name} ${version}: ${reason}.`);
  const entries = new Map<string, () => Buffer>();
  try {
    for (const entry of new Zip(from).getEntries()) entries.set(entry.entryName, () => entry.getData());
  } catch (cause) {
    throw new Error(`${from} cannot be read as a package of NuGet: ${messageOf(cause)}`, { cause });
  }
  const description =
    [...entries]
      .find(([path]) => /^[^/]+\.nuspec$/.test(path))?.[1]()
      .toString() ?? '';
  const field = (tag: string) => new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(description)?.[1] ?? 'unknown';
  const [id, found] = [field('id'), field('version')];
  if (id !== name || found !== version) throw refuse(`it is ${id} ${found}`);
  await mkdir(to, { recursive: true });
  for (const file of files) {
    const data = entries.get(file.pathInPackage);
    if (data === undefined) throw refuse(`it has no ${file.pathInPackage}`);
    try {
      await writeFile(join(to, file.name), data());
    } catch (cause) {
      throw refuse(`${file.pathInPackage} is broken (${messageOf(cause)})`);
    }
  }
}

async function requireThere(path: string): Promise<void> {
  await stat(path).catch(() => {
    throw new Error(`The script of onnxruntime-node ended well, but ${basename(path)} is not there.`);
  });
}
