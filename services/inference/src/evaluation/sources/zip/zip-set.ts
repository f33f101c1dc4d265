import { DomainError } from '@atelier/domain';
import { type ClassifiedFiles, classify, missingEntry, type PlacedLabels, unlabelled } from '../class-of-file.ts';
import { collected } from '../collect-files.ts';
import type { LabelledFile, LabelledSet, SetPart, SkippedEntry } from '../labelled-set.ts';
import { labelsFileAmong } from '../labels.ts';
import { readLabelsCsv, requireLabelsSize } from '../labels-csv.ts';
import { unpackElsewhere } from '../packed-file.ts';
import type { SetOpening } from '../set-opening.ts';
import { digestOf, type StoredFile } from '../stored-file.ts';
import { type Archive, type ArchivedFile, openArchive } from './archive.ts';

/**
 * A ZIP archive with pictures in folders that are named by their classes, at the top or below other folders, or with a file
 * `labels.csv`. Rejects with `malformed-archive`, `archive-too-large`, `malformed-labels`.
 */
export async function openZipSet(file: StoredFile, opening: SetOpening): Promise<LabelledSet> {
  const archive = await openArchive(file, opening);
  const readable = archive.entries.filter((entry): entry is ArchivedFile => 'offset' in entry);
  const labelsFile = labelsFileAmong(readable);
  const labels = labelsFile && (await labelsIn(archive, labelsFile, opening));
  const entries = archive.entries.filter((entry) => entry !== labelsFile);
  const names = entries.map((entry) => ('offset' in entry ? entry.name : undefined));
  const classified = await classify(names, labels, opening);
  return {
    form: 'zip',
    bytes: file.bytes,
    total: entries.length + classified.missing.length,
    ignored: archive.ignored,
    digest: () => digestOf([file]),
    parts: () => partsOf(archive, entries, classified),
    close: () => file.close(),
  };
}

async function* partsOf(
  archive: Archive,
  entries: Archive['entries'],
  classified: ClassifiedFiles,
): AsyncGenerator<SetPart, void, undefined> {
  for await (const files of collected(labelled(archive, entries, classified))) yield { kind: 'files', files };
}

async function* labelled(
  archive: Archive,
  entries: Archive['entries'],
  { classes, missing }: ClassifiedFiles,
): AsyncGenerator<LabelledFile | SkippedEntry, void, undefined> {
  for (const [index, entry] of entries.entries()) {
    const label = classes[index];
    if ('code' in entry) yield entry;
    else if (label === undefined) yield unlabelled(entry.name);
    else {
      const read = await archive.read(entry);
      yield 'code' in read ? read : { ...read, label };
    }
  }
  for (const name of missing) yield missingEntry(name);
}

async function labelsIn(archive: Archive, entry: ArchivedFile, opening: SetOpening): Promise<PlacedLabels> {
  requireLabelsSize(entry.bytes, entry.name, opening);
  const read = await archive.read(entry);
  if ('code' in read) throw refused(entry.name, read);
  const bytes = await unpackElsewhere(read.file).catch((error: unknown) => {
    throw error instanceof DomainError ? refused(entry.name, error) : error;
  });
  return { ...(await readLabelsCsv(bytes, entry.name, opening)), name: entry.name };
}

function refused(name: string, cause: SkippedEntry | DomainError): DomainError {
  return new DomainError('malformed-labels', `${name} cannot be read: ${cause.message}`, { cause });
}
