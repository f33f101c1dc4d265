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

/** Of the colour types that are read here: grey; red, green and blue. */
const CHANNELS: Record<number, number> = { 0: 1, 2: 3 };

/** What is read of a file before its pixels. */
type Form = Pick<LayeredPicture, 'width' | 'height' | 'channels'>;

/**
 * The picture in a small PNG file of the plainest kind: 8 bits of grey or of colours, not interlaced, without transparency, colour
 * space or orientation (PNG, third edition). Undefined for every other file, and for one with any fault: the decoder of all formats has
 * the say. The pixels are the same as its; the time is a tenth.
 */
export function plainPng(file: Buffer): LayeredPicture | undefined {
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined;
  let form: Form | undefined;
  const compressed: Buffer[] = [];
  for (let offset = SIGNATURE.length; offset + CHUNK_HEAD_BYTES + CHUNK_TAIL_BYTES <= file.length;) {
    const bytes = file.readUInt32BE(offset);
    const type = file.toString('latin1', offset + 4, offset + CHUNK_HEAD_BYTES);
    const end = offset + CHUNK_HEAD_BYTES + bytes;
    if (end + CHUNK_TAIL_BYTES > file.length) return undefined;
    if (crc32(file.subarray(offset + 4, end)) !== file.readUInt32BE(end)) return undefined;
    const data = file.subarray(offset + CHUNK_HEAD_BYTES, end);
    if (form === undefined) form = type === 'IHDR' ? plainForm(data) : undefined;
    else if (type === 'IDAT') compressed.push(data);
    else if (type === 'IEND') return pictureOf(form, compressed);
    else if (!WITHOUT_EFFECT.includes(type) || data.includes('Raw profile type')) return undefined;
    if (form === undefined) return undefined;
    offset = end + CHUNK_TAIL_BYTES;
  }
  return undefined;
}

/** Width, height, bit depth 8, colour type, compression 0, filter method 0, interlace 0. */
function plainForm(header: Buffer): Form | undefined {
  const [depth, colourType = 0, ...methods] = header.subarray(8);
  const channels = CHANNELS[colourType];
  if (header.length !== 13 || depth !== 8 || channels === undefined || methods.some((method) => method !== 0)) {
    return undefined;
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const isSmall = width > 0 && height > 0 && width <= MAXIMUM_EDGE && height <= MAXIMUM_EDGE;
  return isSmall ? { width, height, channels } : undefined;
}

function pictureOf({ width, height, channels }: Form, compressed: Buffer[]): LayeredPicture | undefined {
  const rowBytes = width * channels;
  const expected = (rowBytes + 1) * height;
  const lines = inflated(compressed, expected);
  if (lines?.length !== expected) return undefined;
  const pixels = new Uint8Array(rowBytes * height);
  for (let y = 0; y < height; y++) {
    const line = y * (rowBytes + 1);
    const filter = lines[line] ?? 0;
    if (filter > 4) return undefined;
    const row = y * rowBytes;
    for (let x = 0; x < rowBytes; x++) {
      const value = lines[line + 1 + x] ?? 0;
      const left = x < channels ? 0 : (pixels[row + x - channels] ?? 0);
      const above = y === 0 ? 0 : (pixels[row + x - rowBytes] ?? 0);
      const corner = x < channels || y === 0 ? 0 : (pixels[row + x - rowBytes - channels] ?? 0);
      pixels[row + x] = value + predictedBy(filter, left, above, corner); // modulo 256
    }
  }
  return { width, height, channels, pixels };
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
