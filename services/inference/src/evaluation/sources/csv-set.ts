import { DomainError, hasCode, PIXELS_PER_IMAGE } from '@atelier/domain';
import { KAGGLE_HEAD_BYTES, kaggleHeaderBytes, readKaggleRows } from '@atelier/fashion-mnist';
import { IMAGES_PER_PART, type LabelledSet, type SetPart, type SkippedEntry } from './labelled-set.ts';
import type { SetOpening } from './set-opening.ts';
import { digestOf, type StoredFile } from './stored-file.ts';

const LINE_FEED = 0x0a;

/** A row of 784 numbers has at most 3,141 bytes; what is longer is none, and is not looked for any longer. */
const LONGEST_LINE_BYTES = 16 * 1024;

/** About forty rows. */
const BLOCK_BYTES = 64 * 1024;

/** So much is counted at a time, in which there may be as many lines as bytes. */
const COUNTED_BYTES = 128 * 1024;

/**
 * Kaggle's form, `label,pixel1,...,pixel784`, decompressed; `original` is it as it came. Rejects with `malformed-csv` where it
 * begins otherwise or has a line without an end, `archive-too-large` where it has more rows than are taken; a row that cannot
 * be read is skipped and listed.
 */
export async function openCsvSet(
  file: StoredFile,
  opening: SetOpening,
  original: StoredFile = file,
): Promise<LabelledSet> {
  const start = kaggleHeaderBytes(await file.read(0, KAGGLE_HEAD_BYTES), file.name);
  const total = await countRows(file, start, opening);
  return {
    form: 'csv',
    bytes: original.bytes,
    total,
    ignored: 0,
    digest: () => digestOf([original]),
    parts: () => partsOf(file, start),
    close: async () => {
      for (const one of new Set([file, original])) await one.close();
    },
  };
}

async function countRows(file: StoredFile, start: number, { limits, turns, signal }: SetOpening): Promise<number> {
  const { maximumEntries } = limits;
  let rows = 0;
  let lineBytes = 0;
  for (let position = start; position < file.bytes; position += COUNTED_BYTES) {
    const block = await file.read(position, COUNTED_BYTES);
    for (let from = 0; from < block.length;) {
      if (lineBytes === 0 && ++rows > maximumEntries) {
        throw new DomainError('archive-too-large', `${file.name} has more than ${maximumEntries} rows.`);
      }
      const lineFeed = block.indexOf(LINE_FEED, from);
      const end = lineFeed < 0 ? block.length : lineFeed + 1;
      lineBytes += end - from;
      if (lineBytes > LONGEST_LINE_BYTES) {
        const line = nameOf(rows - 1);
        throw new DomainError('malformed-csv', `${file.name}: ${line} has more than ${LONGEST_LINE_BYTES} bytes.`);
      }
      if (lineFeed >= 0) lineBytes = 0;
      from = end;
    }
    await turns.pause(signal);
  }
  return rows;
}

async function* partsOf(file: StoredFile, start: number): AsyncGenerator<SetPart, void, undefined> {
  let rows = 0;
  for (let position = start; position < file.bytes;) {
    const block = await file.read(position, BLOCK_BYTES);
    const isLast = position + block.length >= file.bytes;
    const end = isLast ? block.length : block.lastIndexOf(LINE_FEED) + 1;
    if (end === 0) throw new DomainError('malformed-csv', `${file.name} became shorter while it was read.`);
    for (const lines of someLines(block.subarray(0, end))) {
      yield rowsOf(lines, file.name, rows);
      rows += lines.length;
    }
    position += end;
  }
}

/** As many lines at a time as a part has rows. */
function* someLines(bytes: Buffer): Generator<Buffer[], void, undefined> {
  let lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
    if (lines.length < IMAGES_PER_PART) continue;
    yield lines;
    lines = [];
  }
  if (lines.length > 0) yield lines;
}

function rowsOf(lines: readonly Buffer[], file: string, rowsBefore: number): SetPart {
  const names: string[] = [];
  const labels = new Uint8Array(lines.length);
  const images = new Uint8Array(lines.length * PIXELS_PER_IMAGE);
  const skipped: SkippedEntry[] = [];
  for (const [index, line] of lines.entries()) {
    const name = nameOf(rowsBefore + index);
    try {
      const row = readKaggleRows(line, file, rowsBefore + index);
      labels.set(row.labels, names.length);
      images.set(row.images, names.length * PIXELS_PER_IMAGE);
      names.push(name);
    } catch (error) {
      if (!hasCode(error, 'malformed-csv')) throw error;
      skipped.push({ name, code: error.code, message: error.message });
    }
  }
  const count = names.length;
  return {
    kind: 'pixels',
    names,
    labels: labels.slice(0, count),
    images: images.slice(0, count * PIXELS_PER_IMAGE),
    skipped,
  };
}

/** The header is line 1. */
function nameOf(row: number): string {
  return `line ${row + 2}`;
}
