import { DomainError, messageOf } from '@atelier/domain';
import type { SetLimits } from '../../limits.ts';
import { ClassOfFile, type PlacedLabels, placedLabels } from '../class-of-file.ts';
import { collected } from '../collect-files.ts';
import type { LabelledFile, LabelledSet, SkippedEntry } from '../labelled-set.ts';
import { labelsFileAmong } from '../labels.ts';
import { unpack } from '../packed-file.ts';
import { digestOf, type StoredFile } from '../stored-file.ts';
import { type Archive, type ArchivedFile, openArchive } from './archive.ts';
import { skipped } from './entry-names.ts';

/**
 * A ZIP archive with pictures in folders that are named by their classes, at the top or below other folders, or with a file
 * `labels.csv`. Rejects with `malformed-archive`, `archive-too-large`, `malformed-labels`.
 */
export async function openZipSet(file: StoredFile, limits: SetLimits): Promise<LabelledSet> {
  const archive = await openArchive(file, limits);
  const labels = await labelsIn(archive);
  const entries = archive.entries.filter((entry) => entry !== labels?.entry);
  const classes = new ClassOfFile(labels);
  return {
    form: 'zip',
    bytes: file.bytes,
    total: entries.length,
    ignored: archive.ignored,
    digest: () => digestOf([file]),
    parts: () => collected(labelled(archive, entries, classes)),
    close: () => file.close(),
  };
}

async function* labelled(
  archive: Archive,
  entries: Archive['entries'],
  classes: ClassOfFile,
): AsyncGenerator<LabelledFile | SkippedEntry, void, undefined> {
  for (const entry of entries) {
    if ('code' in entry) {
      yield entry;
      continue;
    }
    try {
      yield { name: entry.name, label: classes.of(entry.name), file: await archive.read(entry) };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      yield skipped(entry.name, error.code, error.message);
    }
  }
  for (const name of classes.missing()) {
    yield skipped(name, 'missing-entry', 'labels.csv names it, and no entry has that name that could be read.');
  }
}

/** The file of labels that lies highest. */
async function labelsIn(archive: Archive): Promise<(PlacedLabels & { entry: ArchivedFile }) | undefined> {
  const entry = labelsFileAmong(archive.entries.filter((one): one is ArchivedFile => 'offset' in one));
  if (entry === undefined) return undefined;
  const text = unpackedText(await archive.read(entry).then(unpack).catch(refuseLabels));
  return { ...placedLabels(text, entry.name), entry };
}

function unpackedText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DomainError('malformed-labels', 'labels.csv is not UTF-8.', { cause });
  }
}

function refuseLabels(cause: unknown): never {
  throw new DomainError('malformed-labels', `labels.csv cannot be read: ${messageOf(cause)}`, { cause });
}
