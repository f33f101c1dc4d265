import { crc32, inflateSync } from 'node:zlib';
import type { LayeredPicture } from './flatten.ts';

/** Larger ones gain little here, and may be scaled down while they are decoded. */
const MAXIMUM_EDGE = 64;

/** Chunks that change no pixel; any other, such as a colour profile or gamma, is libvips' business. */
const WITHOUT_EFFECT = ['tEXt', 'tIME', 'pHYs'];

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** Length and type before a chunk's data, checksum behind it. */
const CHUNK_HEAD_BYTES = 8;
const CHUNK_TAIL_BYTES = 4;

/**
 * The picture in a small PNG file of the plainest kind: 8 bits of grey, not interlaced, without transparency, colour space or
 * orientation (PNG, third edition). Undefined for every other file, and for one with any fault: the decoder of all formats has
 * the say. The pixels are the same as its; the time is a tenth.
 */
export function plainPng(file: Buffer): LayeredPicture | undefined {
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined;
  let size: { width: number; height: number } | undefined;
  const compressed: Buffer[] = [];
  for (let offset = SIGNATURE.length; offset + CHUNK_HEAD_BYTES + CHUNK_TAIL_BYTES <= file.length;) {
    const bytes = file.readUInt32BE(offset);
    const type = file.toString('latin1', offset + 4, offset + CHUNK_HEAD_BYTES);
    const end = offset + CHUNK_HEAD_BYTES + bytes;
    if (end + CHUNK_TAIL_BYTES > file.length) return undefined;
    if (crc32(file.subarray(offset + 4, end)) !== file.readUInt32BE(end)) return undefined;
    const data = file.subarray(offset + CHUNK_HEAD_BYTES, end);
    if (size === undefined) size = type === 'IHDR' ? plainSize(data) : undefined;
    else if (type === 'IDAT') compressed.push(data);
    else if (type === 'IEND') return pictureOf(size, compressed);
    else if (!WITHOUT_EFFECT.includes(type) || data.includes('Raw profile type')) return undefined;
    if (size === undefined) return undefined;
    offset = end + CHUNK_TAIL_BYTES;
  }
  return undefined;
}

/** Width, height, bit depth 8, colour type 0 (grey), compression 0, filter method 0, interlace 0. */
function plainSize(header: Buffer): { width: number; height: number } | undefined {
  if (header.length !== 13 || !header.subarray(8).equals(Buffer.from([8, 0, 0, 0, 0]))) return undefined;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const isSmall = width > 0 && height > 0 && width <= MAXIMUM_EDGE && height <= MAXIMUM_EDGE;
  return isSmall ? { width, height } : undefined;
}

function pictureOf(
  { width, height }: { width: number; height: number },
  compressed: Buffer[],
): LayeredPicture | undefined {
  const expected = (width + 1) * height;
  const lines = inflated(compressed, expected);
  if (lines?.length !== expected) return undefined;
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (width + 1)] ?? 0;
    if (filter > 4) return undefined;
    const row = y * width;
    for (let x = 0; x < width; x++) {
      const value = lines[y * (width + 1) + 1 + x] ?? 0;
      const left = x === 0 ? 0 : (pixels[row + x - 1] ?? 0);
      const above = y === 0 ? 0 : (pixels[row + x - width] ?? 0);
      const corner = x === 0 || y === 0 ? 0 : (pixels[row + x - width - 1] ?? 0);
      pixels[row + x] = value + predictedBy(filter, left, above, corner); // modulo 256
    }
  }
  return { width, height, channels: 1, pixels };
}

function inflated(compressed: Buffer[], bytes: number): Buffer | undefined {
  const [only, ...others] = compressed;
  if (only === undefined) return undefined;
  try {
    const whole = others.length === 0 ? only : Buffer.concat(compressed);
    return inflateSync(whole, { maxOutputLength: bytes, chunkSize: Math.max(64, bytes + 1) });
  } catch {
    return undefined;
  }
}

/** None, Sub, Up, Average, Paeth (section 9.2). */
function predictedBy(filter: number, left: number, above: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  if (filter !== 4) return 0;
  const [toLeft, toAbove] = [Math.abs(above - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
