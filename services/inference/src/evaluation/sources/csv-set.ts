import { DomainError, hasCode } from '@atelier/domain';
import { KAGGLE_HEAD_BYTES, kaggleHeaderBytes, readKaggleRows } from '@atelier/fashion-mnist';
import type { LabelledSet, SetPart } from './labelled-set.ts';
import { digestOf, type StoredFile } from './stored-file.ts';

const LINE_FEED = 0x0a;

/** A row of 784 numbers has at most 3,141 bytes; what is longer is none, and is not looked for any longer. */
const LONGEST_LINE_BYTES = 16 * 1024;

/** About forty rows. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Kaggle's form, `label,pixel1,...,pixel784`, decompressed; `original` is it as it came. Rejects with `malformed-csv` where it
 * begins otherwise; a row that cannot be read is skipped and listed.
 */
export async function openCsvSet(file: StoredFile, original: StoredFile = file): Promise<LabelledSet> {
  const start = kaggleHeaderBytes(await file.read(0, KAGGLE_HEAD_BYTES), file.name);
  return {
    form: 'csv',
    bytes: original.bytes,
    total: null,
    ignored: 0,
    digest: () => digestOf([original]),
    parts: () => partsOf(file, start),
    close: async () => {
      for (const one of new Set([file, original])) await one.close();
    },
  };
}

async function* partsOf(file: StoredFile, start: number): AsyncGenerator<SetPart, void, undefined> {
  let rows = 0;
  let position = start;
  while (position < file.bytes) {
    const block = await file.read(position, BLOCK_BYTES);
    const isLast = position + block.length >= file.bytes;
    const end = isLast ? block.length : block.lastIndexOf(LINE_FEED) + 1;
    if (end === 0 || block.length === 0) {
      throw new DomainError(
        'malformed-csv',
        `${file.name}: line ${rows + 2} has more than ${LONGEST_LINE_BYTES} bytes.`,
      );
    }
    const lines = block.subarray(0, end);
    for (const part of rowsOf(lines, file.name, rows)) {
      yield part;
      rows += part.kind === 'pixels' ? part.labels.length : 1;
    }
    position += end;
  }
}

/** All rows at once where they are as they should be, else one by one. */
function* rowsOf(lines: Buffer, file: string, rowsBefore: number): Generator<SetPart, void, undefined> {
  try {
    const { images, labels, count } = readKaggleRows(lines, file, rowsBefore);
    if (count > 0)
      yield {
        kind: 'pixels',
        names: Array.from({ length: count }, (_, row) => nameOf(rowsBefore + row)),
        labels,
        images,
      };
    return;
  } catch (error) {
    if (!hasCode(error, 'malformed-csv')) throw error;
  }
  let row = rowsBefore;
  for (let start = 0; start < lines.length; row++) {
    const lineFeed = lines.indexOf(LINE_FEED, start);
    const end = lineFeed < 0 ? lines.length : lineFeed + 1;
    try {
      const { images, labels } = readKaggleRows(lines.subarray(start, end), file, row);
      yield { kind: 'pixels', names: [nameOf(row)], labels, images };
    } catch (error) {
      if (!hasCode(error, 'malformed-csv')) throw error;
      yield { kind: 'skipped', entry: { name: nameOf(row), code: error.code, message: error.message } };
    }
    start = end;
  }
}

/** The header is line 1. */
function nameOf(row: number): string {
  return `line ${row + 2}`;
}
