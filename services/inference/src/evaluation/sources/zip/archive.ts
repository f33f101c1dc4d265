import { DomainError, messageOf } from '@atelier/domain';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { maximumNamesBytes, RATIO_FROM_BYTES, type SetLimits } from '../../limits.ts';
import { FileWindow } from '../file-window.ts';
import type { NamedFile, SkippedEntry } from '../labelled-set.ts';
import { METHODS, type PackedFile, unreadable } from '../packed-file.ts';
import type { SetOpening } from '../set-opening.ts';
import type { StoredFile } from '../stored-file.ts';
import { isJunk, isNestedArchive, MAXIMUM_NAME_BYTES, plainName, skipped, unsafeReason } from './entry-names.ts';
import { WindowReader } from './window-reader.ts';

/** A file in an archive that may be read. */
export interface ArchivedFile {
  name: string;
  /** Of its local header. */
  offset: number;
  storedBytes: number;
  bytes: number;
  method: PackedFile['method'];
  crc32: number;
}

export interface Archive {
  /** In the order of the archive's directory; folders and what `isJunk` are not among them. */
  entries: (ArchivedFile | SkippedEntry)[];
  ignored: number;
  /** A file as it is stored; `unreadable-entry` where the archive holds another thing there than its directory says. */
  read(file: ArchivedFile): Promise<NamedFile>;
}

export type ArchiveReading = Pick<SetOpening, 'limits' | 'turns' | 'signal'>;

/** Between two of so many entries others have their turn. */
const ENTRIES_AT_A_TIME = 256;

/** The local header (APPNOTE.TXT, section 4.3.7) without its name. */
const LOCAL_HEADER_BYTES = 30;
const LOCAL_HEADER_SIGNATURE = 0x04034b50;

/** Of an entry in the directory (section 4.3.12). */
const DIRECTORY_HEADER_SIGNATURE = 0x02014b50;

/**
 * The directory of a ZIP archive. What must not or cannot be read is listed with its reason and harms no other. Rejects with
 * `malformed-archive` where the directory cannot be read or contradicts itself, `archive-too-large` beyond the limits.
 */
export async function openArchive(file: StoredFile, reading: ArchiveReading): Promise<Archive> {
  const window = new FileWindow(file);
  try {
    const zip = await openDirectory(window, file);
    return await readDirectory(zip, window, file, reading);
  } catch (cause) {
    reading.signal.throwIfAborted();
    if (cause instanceof DomainError) throw cause;
    throw new DomainError('malformed-archive', `${file.name} is no ZIP archive that can be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function openDirectory(window: FileWindow, file: StoredFile): Promise<ZipFile> {
  // Names and sizes are judged here, entry by entry: the library would give the whole archive up.
  const options = { lazyEntries: true, decodeStrings: false, validateEntrySizes: false, autoClose: false };
  return yauzl.fromRandomAccessReaderPromise(new WindowReader(window), file.bytes, options);
}

async function readDirectory(
  zip: ZipFile,
  window: FileWindow,
  file: StoredFile,
  { limits, turns, signal }: ArchiveReading,
): Promise<Archive> {
  if (zip.entryCount > limits.maximumEntries) {
    throw tooLarge(`it has ${zip.entryCount} entries; at most ${limits.maximumEntries} are taken`);
  }
  const entries: Archive['entries'] = [];
  const names = new Set<string>();
  const maximumNames = maximumNamesBytes(limits);
  let [ignored, storedBytes, bytes, nameBytes, seen] = [0, 0, 0, 0, 0];
  for await (const entry of zip.eachEntry()) {
    if (++seen % ENTRIES_AT_A_TIME === 0) await turns.pause(signal);
    nameBytes += entry.fileNameLength;
    if (nameBytes > maximumNames) throw tooLarge(`the names of its entries have more than ${maximumNames} bytes`);
    storedBytes += entry.compressedSize;
    if (storedBytes > file.bytes) {
      throw new DomainError(
        'malformed-archive',
        `${file.name} is no ZIP archive that can be read: its entries overlap.`,
      );
    }
    const judged = judge(entry, limits, names);
    if (judged === 'ignored') ignored++;
    if (typeof judged === 'string') continue;
    if ('offset' in judged) bytes += judged.bytes;
    if (bytes > limits.maximumUnpackedBytes) {
      throw tooLarge(`its files have more than ${limits.maximumUnpackedBytes} bytes unpacked`);
    }
    entries.push(judged);
  }
  await requireNoMore(zip, window, file.name);
  return { entries, ignored, read: (archived) => readNamed(window, archived) };
}

/** A writer without ZIP64 counts 65,536 entries as none: what stands behind those that are counted must not be lost in silence. */
async function requireNoMore(zip: ZipFile, window: FileWindow, name: string): Promise<void> {
  const next = await window.read(Number(zip.readEntryCursor), 4);
  if (next.length < 4 || next.readUInt32LE(0) !== DIRECTORY_HEADER_SIGNATURE) return;
  throw new DomainError(
    'malformed-archive',
    `${name} is no ZIP archive that can be read: its directory has more entries than the ${zip.entryCount} that it counts.`,
  );
}

/** What is to become of an entry; a folder is nothing. */
function judge(
  entry: Entry,
  limits: SetLimits,
  names: Set<string>,
): ArchivedFile | SkippedEntry | 'ignored' | 'folder' {
  const raw = entry.fileNameRaw;
  if (raw.length > MAXIMUM_NAME_BYTES) {
    const name = raw.toString('latin1', 0, MAXIMUM_NAME_BYTES);
    return skipped(
      name,
      'unsafe-entry',
      `The entry is not read: its name has ${raw.length} bytes; at most ${MAXIMUM_NAME_BYTES} are taken.`,
    );
  }
  const name = yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, raw, entry.extraFields, true);
  const reason = unsafeReason(name) ?? specialReason(entry.externalFileAttributes >>> 16);
  if (reason !== undefined) return skipped(name, 'unsafe-entry', `The entry is not read: ${reason}.`);
  if (isJunk(name)) return 'ignored';
  if (name.endsWith('/')) return 'folder';
  const plain = plainName(name);
  if (names.has(plain)) return skipped(name, 'duplicate-entry', 'An entry before it has the same name.');
  names.add(plain);
  if (isNestedArchive(name)) return skipped(name, 'nested-archive', 'It is an archive itself; expected pictures.');
  return judgeContents(entry, plain, limits);
}

function judgeContents(entry: Entry, name: string, limits: SetLimits): ArchivedFile | SkippedEntry {
  const { compressedSize: storedBytes, uncompressedSize: bytes, compressionMethod: method, crc32 } = entry;
  const refuse = (reason: string) => skipped(name, 'unreadable-entry', unreadable(reason).message);
  const refuseSize = (reason: string) => skipped(name, 'entry-too-large', `The entry ${reason}.`);
  if (entry.isEncrypted()) return refuse('it is encrypted');
  if (method !== METHODS.stored && method !== METHODS.deflated) {
    return refuse(`it is compressed by method ${method}; expected 0 (stored) or 8 (deflate)`);
  }
  if (method === METHODS.stored && storedBytes !== bytes) {
    return refuse(`it is stored as it is, in ${storedBytes} bytes, and its header says ${bytes}`);
  }
  if (bytes > limits.maximumEntryBytes) {
    return refuseSize(`has ${bytes} bytes unpacked; at most ${limits.maximumEntryBytes} are taken`);
  }
  if (bytes > RATIO_FROM_BYTES && bytes > limits.maximumRatio * storedBytes) {
    return refuseSize(
      `unpacks from ${storedBytes} bytes to ${bytes}; at most ${limits.maximumRatio} times as many are taken`,
    );
  }
  return { name, offset: entry.relativeOffsetOfLocalHeader, storedBytes, bytes, method, crc32 };
}

/** By the mode of a Unix file, which other systems leave 0. */
function specialReason(mode: number): string | undefined {
  const kind = mode & 0o170000;
  if (kind === 0o120000) return 'it is a link';
  return [0, 0o100000, 0o040000].includes(kind) ? undefined : 'it is no ordinary file';
}

async function readNamed(window: FileWindow, file: ArchivedFile): Promise<NamedFile> {
  try {
    return { name: file.name, file: await readEntry(window, file) };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return skipped(file.name, error.code, error.message);
  }
}

async function readEntry(window: FileWindow, file: ArchivedFile): Promise<PackedFile> {
  const { offset, storedBytes, bytes, method, crc32 } = file;
  const header = await window.read(offset, LOCAL_HEADER_BYTES);
  if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER_SIGNATURE) {
    throw unreadable("it is not where the archive's directory says");
  }
  // The name and the extra field, whose lengths may be others than the directory's.
  const start = offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  const stored = await window.read(start, storedBytes);
  if (stored.length < storedBytes) throw unreadable('the archive ends before it does');
  return { stored, method, bytes, crc32 };
}

function tooLarge(reason: string): DomainError {
  return new DomainError('archive-too-large', `The archive is not taken: ${reason}.`);
}
