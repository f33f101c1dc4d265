import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError, type Manifest, messageOf, ModelName, parseManifest } from '@atelier/domain';

/** One version: `<root>/<name>/<version>/` with `model.onnx`, `manifest.json` and `tfjs/`. */
export interface PublishedVersion {
  name: string;
  version: number;
  directory: string;
  manifest: Manifest;
}

export interface Listing {
  /** By name, then ascending by version. */
  versions: PublishedVersion[];
  /** What lies in the repository and is no version, with the reason; it is named, never served. */
  skipped: { path: string; reason: string }[];
}

export const MODEL_FILE = 'model.onnx';
export const MANIFEST_FILE = 'manifest.json';
/** Beside the versions of a model: which of them is stable, and which the canary. */
export const LABELS_FILE = 'labels.json';

/** Names that publishing uses while it writes; readers pass over them in silence, as over every hidden name. */
export const STAGING_PREFIX = '.staging-';

/** Nine digits. */
export const MAXIMUM_VERSION = 999_999_999;

/** A manifest is about 40 KB; what is far larger is none. */
const MAXIMUM_MANIFEST_BYTES = 1024 * 1024;
/** The most that a protobuf message, and so an ONNX file, can have. */
const MAXIMUM_MODEL_BYTES = 2 ** 31;

/**
 * All versions in the folder `root`, which is empty when it does not exist. Symbolic links count as what they point to.
 * Never rejects: what cannot be read is skipped, with the reason. Digests are not checked: see `readModel`.
 */
export async function listVersions(root: string): Promise<Listing> {
  const listing: Listing = { versions: [], skipped: [] };
  for (const name of await entriesOf(root, listing)) {
    const home = join(root, name);
    for (const folder of await entriesOf(home, listing)) {
      if (folder === LABELS_FILE) continue;
      const directory = join(home, folder);
      try {
        listing.versions.push(await readVersion(directory, name, folder));
      } catch (error) {
        listing.skipped.push({ path: directory, reason: messageOf(error) });
      }
    }
  }
  listing.versions.sort((a, b) => a.name.localeCompare(b.name) || a.version - b.version);
  return listing;
}

/** A version by number, or the highest readable one; `model-not-found` lists what there is and what was skipped. */
export async function resolveVersion(
  root: string,
  name: string,
  version: number | 'latest',
): Promise<PublishedVersion> {
  const { versions, skipped } = await listVersions(root);
  const candidates = versions.filter((candidate) => candidate.name === name);
  const found =
    version === 'latest' ? candidates.at(-1) : candidates.find((candidate) => candidate.version === version);
  if (found !== undefined) return found;
  const wanted = version === 'latest' ? 'version' : `version ${version}`;
  const present = versions.map((candidate) => `${candidate.name}/${candidate.version}`).join(', ') || 'none';
  const faults = skipped.map(({ path, reason }) => `; skipped ${path}: ${reason}`).join('');
  throw new DomainError('model-not-found', `No ${wanted} of "${name}" in ${root}; there is: ${present}${faults}.`);
}

/** The bytes of `model.onnx`, whose digest is the manifest's; `digest-mismatch` where it is not. */
export async function readModel({ directory, manifest }: PublishedVersion): Promise<Uint8Array> {
  const path = join(directory, MODEL_FILE);
  const bytes = await readPlainFile(path, MAXIMUM_MODEL_BYTES).catch((cause: unknown) => {
    throw new DomainError('digest-mismatch', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  const found = digestOf(bytes);
  if (found === manifest.digest) return bytes;
  throw new DomainError('digest-mismatch', `${path} has digest ${found}; its manifest says ${manifest.digest}.`);
}

/** `sha256:` and the hexadecimal SHA-256 of `bytes`. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The number that a folder of a model has as its name; undefined for any other name. */
export function versionNumber(folder: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(folder) ? Number(folder) : undefined;
}

/** The numbers of a model's folders, ascending, whether they can be served or not; none where there is no such model. */
export async function versionNumbers(root: string, name: string): Promise<number[]> {
  const folders = await entriesOf(join(root, ModelName.parse(name)), { versions: [], skipped: [] });
  return folders.flatMap((folder) => versionNumber(folder) ?? []).sort((a, b) => a - b);
}

/** Reads and checks the manifest in the folder of a version; `invalid-manifest`, or the reason why it cannot be read. */
export async function readVersion(directory: string, name: string, folder: string): Promise<PublishedVersion> {
  const version = versionNumber(folder);
  if (version === undefined) throw new Error('expected a folder named by a version number, 1 or more');
  const path = join(directory, MANIFEST_FILE);
  const manifest = parseManifest(parseJson((await readPlainFile(path, MAXIMUM_MANIFEST_BYTES)).toString(), path), path);
  if (manifest.name !== name || manifest.version !== version) {
    throw new DomainError(
      'invalid-manifest',
      `${path} is of ${manifest.name}/${manifest.version}; its folder is ${name}/${version}.`,
    );
  }
  return { name, version, directory, manifest };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DomainError('invalid-manifest', `${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
}

/** A pipe or a device would be waited for without end, so its kind is asked first. */
async function readPlainFile(path: string, maximumBytes: number): Promise<Buffer> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error(`${path} is no file`);
  if (found.size > maximumBytes) throw new Error(`${path} has ${found.size} bytes; expected at most ${maximumBytes}`);
  return readFile(path);
}

/** Names in a folder, hidden ones left out; none, and an entry in `skipped`, where it is no folder or unreadable. */
async function entriesOf(directory: string, { skipped }: Listing): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => !name.startsWith('.'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') skipped.push({ path: directory, reason: 'not a folder; expected <name>/<version>/' });
    else if (code !== 'ENOENT') skipped.push({ path: directory, reason: messageOf(error) });
    return [];
  }
}
