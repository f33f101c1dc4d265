import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, ModelName, parseManifest } from '@atelier/domain';
import { digestOf, MANIFEST_FILE, MODEL_FILE, type PublishedVersion, STAGING_PREFIX } from './repository.ts';
import { writeSynced } from './write-synced.ts';

/** What a version is made of. */
export interface VersionContent {
  model: Uint8Array;
  /** The manifest without what publishing decides. */
  manifest: Omit<Manifest, 'name' | 'version' | 'digest' | 'sizeBytes'>;
  /** Further files by path inside the version's folder, for example `tfjs/model.json`. */
  files?: Record<string, Uint8Array | string>;
}

/**
 * Publishes the next version of `name` under `root`: everything is written and synced in a staging folder beside it,
 * which is then renamed, so a reader sees the whole version or none. Two publishers at once get two numbers.
 */
export async function publishVersion(root: string, name: string, content: VersionContent): Promise<PublishedVersion> {
  const home = join(root, ModelName.parse(name));
  const staging = join(home, `${STAGING_PREFIX}${randomUUID()}`);
  await mkdir(staging, { recursive: true }); // not mkdtemp, whose folders nobody else may read
  try {
    await writeSynced(join(staging, MODEL_FILE), content.model);
    for (const [path, data] of Object.entries(content.files ?? {})) await writeSynced(join(staging, path), data);
    for (let version = (await highestVersion(home)) + 1; ; version++) {
      const manifest = completeManifest(name, version, content);
      await writeSynced(join(staging, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
      const directory = join(home, String(version));
      if (await renamed(staging, directory)) return { name, version, directory, manifest };
    }
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

function completeManifest(name: string, version: number, { manifest, model }: VersionContent): Manifest {
  const complete = { ...manifest, name, version, digest: digestOf(model), sizeBytes: model.byteLength };
  return parseManifest(complete, `The manifest to publish as ${name}/${version}`);
}

/** Counts every folder with a number, a broken one too: its number is taken. */
async function highestVersion(home: string): Promise<number> {
  const numbers = (await readdir(home)).filter((entry) => /^\d+$/.test(entry)).map(Number);
  return Math.max(0, ...numbers);
}

/** A folder is renamed over nothing or an empty folder only; false when another publisher was first. */
async function renamed(staging: string, directory: string): Promise<boolean> {
  try {
    await rename(staging, directory);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
