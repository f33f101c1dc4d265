import { type BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError, messageOf, ModelName } from '@atelier/domain';
import {
  LABELS_FILE,
  type Labels,
  MANIFEST_FILE,
  MODEL_FILE,
  NO_LABELS,
  type PublishedVersion,
  readLabels,
  readVersion,
  versionNumber,
} from '@atelier/model-repository';

/** A folder with a number as its name. */
export interface ScannedVersion {
  number: number;
  directory: string;
  /** Another one after any change of the manifest or of the model's file. */
  signature: string;
  /** Null where the manifest cannot be read, for which `fault` is the reason. */
  published: PublishedVersion | null;
  fault: DomainError | null;
}

export interface ScannedModel {
  name: string;
  /** Newest first. */
  versions: readonly ScannedVersion[];
  /** The last that could be read. */
  labels: Labels;
  labelsFault: DomainError | null;
}

export interface Scan {
  models: readonly ScannedModel[];
  /** What is neither a model nor a version, with the reason. */
  strangers: readonly { path: string; reason: string }[];
  /** The folders in which a change shows, with what tells a folder from another one at its path. */
  folders: ReadonlyMap<string, string>;
}

interface KnownLabels {
  signature: string;
  labels: Labels;
  fault: DomainError | null;
}

/**
 * Looks into a repository again and again. What has not changed since the last look, by the sizes and times of its files,
 * is not read again: a look at 20 versions takes 4 ms. Only names for which `isWanted` are looked into.
 */
export class RepositoryScanner {
  readonly #root: string;
  readonly #isWanted: (name: string) => boolean;
  #versions = new Map<string, ScannedVersion>();
  #models = new Map<string, ScannedModel>();
  readonly #labels = new Map<string, KnownLabels>();

  constructor(root: string, isWanted: (name: string) => boolean) {
    this.#root = root;
    this.#isWanted = isWanted;
  }

  /** Never rejects. A folder that is there and cannot be listed has what it had. */
  async scan(): Promise<Scan> {
    const strangers: { path: string; reason: string }[] = [];
    const folders = new Map<string, string>();
    const entries = await this.#entries(this.#root, strangers, folders);
    const names = entries === 'unreadable' ? [...this.#models.keys()] : entries;
    const models = new Map<string, ScannedModel>();
    const seen = new Map<string, ScannedVersion>();
    for (const name of names) {
      if (!ModelName.safeParse(name).success) {
        const place = await kindOf(join(this.#root, name));
        const reason =
          place === 'folder' ? 'its name is no name of a model' : 'not a folder; expected <name>/<version>/';
        strangers.push({ path: join(this.#root, name), reason });
      } else if (this.#isWanted(name)) {
        const model = await this.#scanModel(name, seen, strangers, folders);
        if (model !== undefined) models.set(name, model);
      }
    }
    this.#models = models;
    for (const name of this.#labels.keys()) if (!models.has(name)) this.#labels.delete(name);
    this.#versions = seen;
    return { models: [...models.values()], strangers, folders };
  }

  async #scanModel(
    name: string,
    seen: Map<string, ScannedVersion>,
    strangers: { path: string; reason: string }[],
    folders: Map<string, string>,
  ): Promise<ScannedModel | undefined> {
    const home = join(this.#root, name);
    const entries = await this.#entries(home, strangers, folders);
    if (entries === 'unreadable') return this.#models.get(name);
    if (!folders.has(home)) return undefined;
    const versions: ScannedVersion[] = [];
    for (const entry of entries) {
      if (entry === LABELS_FILE) continue;
      const directory = join(home, entry);
      const number = versionNumber(entry);
      if (number === undefined) {
        strangers.push({ path: directory, reason: 'expected a folder named by a version number, 1 or more' });
        continue;
      }
      const version = await this.#scanVersion(directory, name, number);
      seen.set(directory, version);
      versions.push(version);
      folders.set(directory, identityOf(await statOf(directory))); // it may be copied or mended file by file
    }
    versions.sort((a, b) => b.number - a.number);
    const { labels, fault } = await this.#scanLabels(name, home);
    return { name, versions, labels, labelsFault: fault };
  }

  async #scanVersion(directory: string, name: string, number: number): Promise<ScannedVersion> {
    const files = await Promise.all([MANIFEST_FILE, MODEL_FILE].map((file) => statOf(join(directory, file))));
    const signature = files.map(signatureOf).join(' ');
    const known = this.#versions.get(directory);
    if (known?.signature === signature) return known;
    try {
      const published = await readVersion(directory, name, String(number));
      return { number, directory, signature, published, fault: null };
    } catch (cause) {
      const fault =
        cause instanceof DomainError ? cause : new DomainError('invalid-manifest', messageOf(cause), { cause });
      return { number, directory, signature, published: null, fault };
    }
  }

  async #scanLabels(name: string, home: string): Promise<KnownLabels> {
    const signature = signatureOf(await statOf(join(home, LABELS_FILE)));
    const known = this.#labels.get(name);
    if (known?.signature === signature) return known;
    const labels = await readLabels(this.#root, name).then(
      (found) => ({ signature, labels: found, fault: null }),
      (fault: DomainError) => ({ signature, labels: known?.labels ?? NO_LABELS, fault }),
    );
    this.#labels.set(name, labels);
    return labels;
  }

  /** Names in a folder without the hidden ones, among which are those that publishing writes. */
  async #entries(
    directory: string,
    strangers: { path: string; reason: string }[],
    folders: Map<string, string>,
  ): Promise<string[] | 'unreadable'> {
    try {
      const names = (await readdir(directory)).filter((name) => !name.startsWith('.'));
      folders.set(directory, identityOf(await statOf(directory)));
      return names;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return [];
      const reason = code === 'ENOTDIR' ? 'not a folder; expected <name>/<version>/' : messageOf(error);
      strangers.push({ path: directory, reason });
      return code === 'ENOTDIR' ? [] : 'unreadable';
    }
  }
}

/** Links count as what they point to. */
async function statOf(path: string): Promise<BigIntStats | string> {
  return stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
}

async function kindOf(path: string): Promise<'folder' | 'other'> {
  const found = await statOf(path);
  return typeof found !== 'string' && found.isDirectory() ? 'folder' : 'other';
}

/** The time of the last change of status cannot be set back, as that of the contents can. */
function signatureOf(found: BigIntStats | string): string {
  return typeof found === 'string' ? found : `${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
}

function identityOf(found: BigIntStats | string): string {
  return typeof found === 'string' ? found : `${found.dev}:${found.ino}:${found.birthtimeNs}`;
}
