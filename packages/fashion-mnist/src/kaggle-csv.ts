import { CLASS_COUNT, DomainError, MAXIMUM_PIXEL, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Examples } from './examples.ts';

const COLUMNS = ['label', ...Array.from({ length: PIXELS_PER_IMAGE }, (_, index) => `pixel${index + 1}`)];
const HEADER = COLUMNS.join(',');
/** A row is at least one digit and one separator a column; the last row may lack its line break. */
const SMALLEST_ROW_BYTES = 2 * COLUMNS.length;

/** What spreadsheets write before UTF-8. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

const [COMMA, LINE_FEED, CARRIAGE_RETURN, ZERO] = [0x2c, 0x0a, 0x0d, 0x30];

/**
 * Kaggle's form of the data set: the line `label,pixel1,...,pixel784`, then a line an image with plain decimal
 * integers, the label 0 to 9 and pixels 0 to 255, row-major. Lines end with LF or CRLF, the last may lack it; a byte order
 * mark may stand before all.
 * `malformed-csv` names the file, the line (counted from 1, the header included) and the column.
 */
export function readKaggleCsv(source: Uint8Array | string, file: string): Examples {
  const bytes = typeof source === 'string' ? new TextEncoder().encode(source) : source;
  return readKaggleRows(bytes.subarray(kaggleHeaderBytes(bytes, file)), file);
}

/** The first bytes of a file, as many as its header may take with what is around it; a shorter file is its own head. */
export const KAGGLE_HEAD_BYTES = 2 * HEADER.length;

/**
 * Whole lines of such a file, without its header: so one too large for the memory is read in parts. `rowsBefore` are the
 * lines of images before these, which the message of a fault counts.
 */
export function readKaggleRows(bytes: Uint8Array, file: string, rowsBefore = 0): Examples {
  let position = 0;
  const capacity = Math.floor((bytes.length - position + 1) / SMALLEST_ROW_BYTES);
  const images = new Uint8Array(capacity * PIXELS_PER_IMAGE);
  const labels = new Uint8Array(capacity);
  let count = 0;
  for (; position < bytes.length; count++) {
    for (let column = 0; column < COLUMNS.length; column++) {
      const start = position;
      let value = 0;
      let digit = digitAt(bytes, position);
      for (; digit >= 0; digit = digitAt(bytes, ++position)) value = value * 10 + digit;

      const largest = column === 0 ? CLASS_COUNT - 1 : MAXIMUM_PIXEL;
      const isPlain = position - start === 1 || (position > start && bytes[start] !== ZERO);
      if (!isPlain || value > largest) failAtValue({ bytes, file, start, row: rowsBefore + count, column, largest });
      if (column === 0) labels[count] = value;
      else images[count * PIXELS_PER_IMAGE + column - 1] = value;

      if (column + 1 === COLUMNS.length) position = afterLineBreak(bytes, position);
      else position = bytes[position] === COMMA ? position + 1 : -1;
      if (position < 0) failAtSeparator({ bytes, file, start, row: rowsBefore + count, column, largest });
    }
  }
  return { images: images.slice(0, count * PIXELS_PER_IMAGE), labels: labels.slice(0, count), count };
}

/** Where the first row begins, in the first `KAGGLE_HEAD_BYTES` of a file; `malformed-csv` where its header is another. */
export function kaggleHeaderBytes(bytes: Uint8Array, file: string): number {
  const start = BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte) ? BYTE_ORDER_MARK.length : 0;
  const end = start + HEADER.length;
  const position = textOf(bytes.subarray(start, end)) === HEADER ? afterLineBreak(bytes, end) : -1;
  if (position >= 0) return position;
  const line = textOf(bytes.subarray(start, 2 * HEADER.length)).split(/\r?\n/, 1)[0] ?? '';
  const columns = line.split(',');
  const differing = [...COLUMNS, undefined].findIndex((name, index) => name !== columns[index]);
  const name = COLUMNS[differing];
  const expected = name === undefined ? 'the end of the line' : `"${name}"`;
  const where = `line 1, column ${differing + 1}`;
  throw new DomainError('malformed-csv', `${file}: ${where}: expected ${expected}, ${quoted(columns[differing])}.`);
}

/** The digit at `position`, or a negative number where there is none. */
function digitAt(bytes: Uint8Array, position: number): number {
  const digit = (bytes[position] ?? 0) - ZERO;
  return digit <= 9 ? digit : -1;
}

/** The position after a line break or at the end of the file; -1 where `position` is at neither. */
function afterLineBreak(bytes: Uint8Array, position: number): number {
  if (position === bytes.length) return position;
  if (bytes[position] === LINE_FEED) return position + 1;
  return bytes[position] === CARRIAGE_RETURN && bytes[position + 1] === LINE_FEED ? position + 2 : -1;
}

interface Fault {
  bytes: Uint8Array;
  file: string;
  /** Position of the field's first byte. */
  start: number;
  row: number;
  column: number;
  largest: number;
}

function failAtValue(fault: Fault): never {
  fail(fault, `expected a plain integer from 0 to ${fault.largest}, ${quoted(fieldAt(fault))}`);
}

/** The value is good; what follows it is not. */
function failAtSeparator(fault: Fault): never {
  const field = fieldAt(fault);
  if (/\D/.test(field)) failAtValue(fault);
  const isLast = fault.column + 1 === COLUMNS.length;
  fail(fault, isLast ? 'the line goes on after this column' : `the line ends here; expected ${COLUMNS.length} columns`);
}

function fail({ file, row, column }: Fault, fault: string): never {
  const where = `line ${row + 2}, column ${column + 1} (${COLUMNS[column]})`;
  throw new DomainError('malformed-csv', `${file}: ${where}: ${fault}.`);
}

/** The field as text, shortened to what a message can carry. */
function fieldAt({ bytes, start }: Fault): string {
  return textOf(bytes.subarray(start, start + 20)).split(/,|\r?\n/, 1)[0] ?? '';
}

/** A byte order mark stays in the text: in the middle of a file it is no part of the form. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function quoted(text = ''): string {
  return text === '' ? 'found nothing' : `found "${text.slice(0, 20)}"`;
}
