import { createHash } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';
import type { SetLimits } from '../limits.ts';
import { ClassOfFile, placedLabels } from './class-of-file.ts';
import { collected } from './collect-files.ts';
import type { LabelledFile, LabelledSet, SkippedEntry } from './labelled-set.ts';
import { labelsFileAmong } from './labels.ts';
import { plainFile } from './packed-file.ts';
import { isJunk, skipped } from './zip/entry-names.ts';

/**
 * A folder of this machine with pictures, in folders named by their classes or with a file `labels.csv`, as in an archive. Links are
 * not followed. `dataset-not-found` where it cannot be read.
 */
export async function openFolderSet(path: string, limits: SetLimits): Promise<LabelledSet> {
  const found = await filesIn(path);
  const names = found.filter(({ name }) => !isJunk(name));
  const labelsFile = labelsFileAmong(names.filter(({ isFile }) => isFile));
  const labels = labelsFile && placedLabels(await readFile(join(path, labelsFile.name), 'utf8'), labelsFile.name);
  const files = names.filter((file) => file !== labelsFile);
  const classes = new ClassOfFile(labels);
  let bytes = 0;
  const hash = createHash('sha256');
  const take = (name: string, contents: Buffer) => {
    bytes += contents.length;
    hash.update(`${name}\n`).update(contents);
  };
  return {
    form: 'folder',
    get bytes() {
      return bytes;
    },
    total: files.length,
    ignored: found.length - names.length,
    digest: () => Promise.resolve(`sha256:${hash.copy().digest('hex')}`),
    parts: () => collected(labelled(path, files, { classes, limits, take })),
    close: () => Promise.resolve(),
  };
}

interface ReadingParts {
  classes: ClassOfFile;
  limits: SetLimits;
  take: (name: string, contents: Buffer) => void;
}

async function* labelled(
  path: string,
  files: readonly FoundFile[],
  { classes, limits: { maximumEntryBytes }, take }: ReadingParts,
): AsyncGenerator<LabelledFile | SkippedEntry, void, undefined> {
  for (const { name, isFile } of files) {
    try {
      if (!isFile) throw new DomainError('unsafe-entry', 'The entry is not read: it is no ordinary file.');
      const label = classes.of(name);
      const contents = await readWhole(join(path, name), maximumEntryBytes);
      take(name, contents);
      yield { name, label, file: plainFile(contents) };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      yield skipped(name, error.code, error.message);
    }
  }
  for (const name of classes.missing()) {
    yield skipped(name, 'missing-entry', 'labels.csv names it, and no file has that name that could be read.');
  }
}

interface FoundFile {
  /** Below the folder, with slashes. */
  name: string;
  isFile: boolean;
}

/** Everything that is no folder, by name. */
async function filesIn(path: string): Promise<FoundFile[]> {
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => {
        const place = join(entry.parentPath, entry.name).slice(join(path, sep).length);
        return { name: place.split(sep).join('/'), isFile: entry.isFile() };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw new DomainError('dataset-not-found', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function readWhole(path: string, maximumBytes: number): Promise<Buffer> {
  const handle = await open(path).catch((cause: unknown) => {
    throw new DomainError('unreadable-entry', `The entry cannot be read: ${messageOf(cause)}.`, { cause });
  });
  try {
    const { size } = await handle.stat();
    if (size > maximumBytes) {
      throw new DomainError('entry-too-large', `The entry has ${size} bytes; at most ${maximumBytes} are taken.`);
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
