import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';
import { type ClassifiedFiles, classify, missingEntry, type PlacedLabels, unlabelled } from './class-of-file.ts';
import { collected } from './collect-files.ts';
import type { LabelledFile, LabelledSet, SetPart, SkippedEntry } from './labelled-set.ts';
import { labelsFileAmong } from './labels.ts';
import { readLabelsCsv, requireLabelsSize } from './labels-csv.ts';
import { plainFile } from './packed-file.ts';
import type { SetOpening } from './set-opening.ts';
import { isJunk, skipped } from './zip/entry-names.ts';

/**
 * A folder of this machine with pictures, in folders named by their classes or with a file `labels.csv`, as in an archive. Links are
 * not followed. `dataset-not-found` where it cannot be read, `malformed-labels`.
 */
export async function openFolderSet(path: string, opening: SetOpening): Promise<LabelledSet> {
  const found = await filesIn(path);
  const files = found.filter(({ name }) => !isJunk(name));
  const labelsFile = labelsFileAmong(files.filter(({ isFile }) => isFile));
  const labels = labelsFile && (await labelsAt(path, labelsFile, opening));
  const pictures = files.filter((file) => file !== labelsFile);
  const names = pictures.map(({ name, isFile }) => (isFile ? name : undefined));
  const classified = await classify(names, labels, opening);
  const sums = new Map<FoundFile, string>();
  return {
    form: 'folder',
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    total: pictures.length + classified.missing.length,
    ignored: found.length - files.length,
    digest: () => digestOf(path, files, sums),
    parts: () => partsOf({ path, files: pictures, classified, sums, opening }),
    close: () => Promise.resolve(),
  };
}

interface ReadingParts {
  path: string;
  files: readonly FoundFile[];
  classified: ClassifiedFiles;
  /** Of files that have been read, as `sumOf` gives it. */
  sums: Map<FoundFile, string>;
  opening: SetOpening;
}

async function* partsOf(parts: ReadingParts): AsyncGenerator<SetPart, void, undefined> {
  for await (const files of collected(labelled(parts))) yield { kind: 'files', files };
}

async function* labelled({
  path,
  files,
  classified: { classes, missing },
  sums,
  opening: { limits },
}: ReadingParts): AsyncGenerator<LabelledFile | SkippedEntry, void, undefined> {
  for (const [index, file] of files.entries()) {
    const { name, isFile } = file;
    const label = classes[index];
    if (!isFile) yield skipped(name, 'unsafe-entry', 'The entry is not read: it is no ordinary file.');
    else if (label === undefined) yield unlabelled(name);
    else {
      const contents = await readWhole(join(path, name), limits.maximumEntryBytes);
      if (contents instanceof DomainError) yield skipped(name, contents.code, contents.message);
      else {
        sums.set(file, createHash('sha256').update(contents).digest('hex'));
        yield { name, label, file: plainFile(contents) };
      }
    }
  }
  for (const name of missing) yield missingEntry(name);
}

async function labelsAt(path: string, { name, bytes }: FoundFile, opening: SetOpening): Promise<PlacedLabels> {
  requireLabelsSize(bytes, name, opening);
  const contents = await readWhole(join(path, name), bytes);
  if (contents instanceof DomainError) throw new DomainError('malformed-labels', `${name}: ${contents.message}`);
  return { ...(await readLabelsCsv(contents, name, opening)), name };
}

interface FoundFile {
  /** Below the folder, with slashes. */
  name: string;
  isFile: boolean;
  /** 0 of what is no file. */
  bytes: number;
}

/** Everything that is no folder, by name. */
async function filesIn(path: string): Promise<FoundFile[]> {
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const found: FoundFile[] = [];
    for (const entry of entries.filter((each) => !each.isDirectory())) {
      const place = join(entry.parentPath, entry.name);
      const name = place.slice(join(path, sep).length).split(sep).join('/');
      const isFile = entry.isFile();
      found.push({ name, isFile, bytes: isFile ? (await lstat(place)).size : 0 });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw new DomainError('dataset-not-found', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function readWhole(path: string, maximumBytes: number): Promise<Buffer | DomainError> {
  try {
    await using handle = await open(path);
    const { size } = await handle.stat();
    if (size <= maximumBytes) return await handle.readFile();
    return new DomainError('entry-too-large', `The entry has ${size} bytes; at most ${maximumBytes} are taken.`);
  } catch (cause) {
    return new DomainError('unreadable-entry', `The entry cannot be read: ${messageOf(cause)}.`, { cause });
  }
}

/**
 * Of what `sha256sum` prints for the files, by name: of every one of them, also of those that were skipped or that nobody asked
 * for. `sums` are of those that have been read already.
 */
async function digestOf(
  path: string,
  files: readonly FoundFile[],
  sums: ReadonlyMap<FoundFile, string>,
): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${sums.get(file) ?? (await sumOf(path, file))}  ${file.name}\n`);
  return `sha256:${hash.digest('hex')}`;
}

/** SHA-256 in hexadecimal; a dash for what cannot be read. */
async function sumOf(path: string, { name, isFile }: FoundFile): Promise<string> {
  if (!isFile) return '-';
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(join(path, name))) hash.update(piece as Buffer);
    return hash.digest('hex');
  } catch {
    return '-';
  }
}
