import type { ImageFormat } from './formats.ts';

/**
 * The file as if its first frame or page were the only one: it is the one that is decoded, and libraries read through all of
 * them to count them, 60,000 in some seconds. A file that cannot be followed so far is left to the decoder as it is.
 */
export function firstPage(file: Buffer, format: ImageFormat): Buffer {
  if (format === 'GIF') return firstFrame(file);
  return format === 'TIFF' ? firstDirectory(file) : file;
}

/** GIF89a, sections 17 to 26. */
const SCREEN_BYTES = 13;
const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;

function firstFrame(file: Buffer): Buffer {
  let offset = SCREEN_BYTES + tableBytes(file[10] ?? 0);
  while (file[offset] === EXTENSION) offset = behindBlocks(file, offset + 2);
  if (file[offset] !== IMAGE) return file;
  const end = behindBlocks(file, offset + 10 + tableBytes(file[offset + 9] ?? 0) + 1);
  return end >= file.length || file[end] === TRAILER
    ? file
    : Buffer.concat([file.subarray(0, end), Buffer.of(TRAILER)]);
}

/** Of the table of colours that a packed field announces. */
function tableBytes(packed: number): number {
  return (packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 0x07) + 1);
}

/** Behind the blocks from `offset` on, of which an empty one is the last. */
function behindBlocks(file: Buffer, offset: number): number {
  let next = offset;
  for (;;) {
    const length = file[next] ?? 0;
    next += 1 + length;
    if (length === 0 || next > file.length) return next;
  }
}

/** TIFF 6.0, section 2: a directory ends with the place of the next, 0 being none. */
function firstDirectory(file: Buffer): Buffer {
  const isLittle = file[0] === 0x49;
  const directory = file.length < 8 ? Infinity : isLittle ? file.readUInt32LE(4) : file.readUInt32BE(4);
  if (directory + 2 > file.length) return file;
  const entries = isLittle ? file.readUInt16LE(directory) : file.readUInt16BE(directory);
  const link = directory + 2 + 12 * entries;
  if (link + 4 > file.length || file.readUInt32LE(link) === 0) return file;
  const alone = Buffer.from(file);
  alone.writeUInt32LE(0, link);
  return alone;
}
