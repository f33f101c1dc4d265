import { CLASS_COUNT, DomainError, IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Examples } from './examples.ts';

/**
 * IDX, the form of MNIST and its descendants: two zero bytes, the type (8: unsigned byte), the number of dimensions,
 * each dimension as a big-endian uint32, then the values row-major (http://yann.lecun.com/exdb/mnist/).
 */
const MAGIC = { images: 0x0000_0803, labels: 0x0000_0801 };
const WORD_BYTES = 4;

/** What is read and the name that errors give it. */
export interface IdxFile {
  readonly bytes: Uint8Array;
  readonly file: string;
}

/** How many values an IDX file has, and where the first one stands, in bytes from its beginning. */
export interface IdxShape {
  readonly count: number;
  readonly valuesStart: number;
}

/** So many bytes at the beginning of a file say its shape. */
export const IDX_HEAD_BYTES = 16;

/**
 * The shape of a file of `fileBytes` bytes with images, from its first `IDX_HEAD_BYTES` (or all of a shorter file).
 * `malformed-idx` as for `readIdxImages`: that is how one too large for the memory is read.
 */
export function idxImagesShape(head: IdxFile, fileBytes: number): IdxShape {
  const [count, height, width] = readHeader(head, MAGIC.images, ['images', 'height', 'width'], fileBytes);
  expectEqual(head.file, 'height', IMAGE_HEIGHT, height);
  expectEqual(head.file, 'width', IMAGE_WIDTH, width);
  return { count, valuesStart: valuesStart(head.file, 4, count * PIXELS_PER_IMAGE, fileBytes) };
}

/** The same for a file with labels. */
export function idxLabelsShape(head: IdxFile, fileBytes: number): IdxShape {
  const [count] = readHeader(head, MAGIC.labels, ['labels'], fileBytes);
  return { count, valuesStart: valuesStart(head.file, 2, count, fileBytes) };
}

/** `malformed-idx` for a class above 9; `first` is the number of the first label in the file. */
export function requireIdxLabels(labels: Uint8Array, file: string, first = 0): void {
  const faulty = labels.findIndex((label) => label >= CLASS_COUNT);
  if (faulty < 0) return;
  fail(file, `label ${first + faulty} (counted from 0)`, `0 to ${CLASS_COUNT - 1}`, String(labels[faulty]));
}

/**
 * Images of an IDX file, [count, 28, 28], as a view of `bytes`. `malformed-idx` where the magic number, a dimension or
 * the length is another than the form asks for; the message names `file`, the field, what was expected and found.
 */
export function readIdxImages(bytes: Uint8Array, file: string): { images: Uint8Array; count: number } {
  const { count, valuesStart: start } = idxImagesShape({ bytes, file }, bytes.length);
  return { images: viewOf(bytes, start), count };
}

/** Labels of an IDX file, [count], as a view of `bytes`. `malformed-idx` as for images, and for a label above 9. */
export function readIdxLabels(bytes: Uint8Array, file: string): { labels: Uint8Array; count: number } {
  const { count, valuesStart: start } = idxLabelsShape({ bytes, file }, bytes.length);
  const labels = viewOf(bytes, start);
  requireIdxLabels(labels, file);
  return { labels, count };
}

/** A file of images with its file of labels. `malformed-idx` as for each, and where their counts differ. */
export function readIdxExamples(imageFile: IdxFile, labelFile: IdxFile): Examples {
  const { images, count } = readIdxImages(imageFile.bytes, imageFile.file);
  const { labels } = readIdxLabels(labelFile.bytes, labelFile.file);
  if (labels.length !== count) {
    fail(labelFile.file, 'labels', `${count}, one for each image of ${imageFile.file}`, String(labels.length));
  }
  return { images, labels, count };
}

/** The dimensions, one for each of `names`. */
function readHeader<Names extends readonly string[]>(
  { bytes, file }: IdxFile,
  magic: number,
  names: readonly [...Names],
  fileBytes: number,
): { [Index in keyof Names]: number } {
  const headerBytes = WORD_BYTES * (1 + names.length);
  if (bytes.length < headerBytes) {
    fail(file, 'header', `${headerBytes} bytes`, `${fileBytes} bytes in the whole file`);
  }
  const words = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const found = words.getUint32(0);
  if (found !== magic) fail(file, 'magic number', hexadecimal(magic), describeMagic(found));
  return names.map((_, index) => words.getUint32(WORD_BYTES * (1 + index))) as { [Index in keyof Names]: number };
}

/** Where the values begin, once their number of bytes is the one that the header says. */
function valuesStart(file: string, headerWords: number, length: number, fileBytes: number): number {
  const headerBytes = WORD_BYTES * headerWords;
  const found = fileBytes - headerBytes;
  if (found < length) fail(file, 'values', `${length} bytes after the header`, `${found}: the file is truncated`);
  if (found > length) {
    fail(file, 'values', `${length} bytes after the header`, `${found}: ${found - length} too many at the end`);
  }
  return headerBytes;
}

/** A plain Uint8Array even where `bytes` is a Buffer, whose `slice` would not copy. */
function viewOf(bytes: Uint8Array, start: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
}

function expectEqual(file: string, field: string, expected: number, found: number): void {
  if (found !== expected) fail(file, field, String(expected), String(found));
}

function describeMagic(magic: number): string {
  const isGzip = magic >>> 16 === 0x1f8b;
  return hexadecimal(magic) + (isGzip ? ', which is gzip: decompress the file first' : '');
}

function hexadecimal(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}

function fail(file: string, field: string, expected: string, found: string): never {
  throw new DomainError('malformed-idx', `${file}: ${field}: expected ${expected}, found ${found}.`);
}
