import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export interface PngSettings {
  width: number;
  height: number;
  /** 0 is grey, 2 red, green and blue. */
  colourType?: number;
  isInterlaced?: boolean;
  /** Chunks between the header and the pixels. */
  chunks?: readonly Buffer[];
}

/** A PNG file in a millionth of a second a pixel: rows are stored as they are, each behind a filter byte of 0. */
export function greyPng(pixels: Uint8Array, width: number): Buffer {
  const height = pixels.length / width;
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return pngFile({ width, height }, deflateSync(rows, { level: 1 }));
}

/** One with whatever stands in the place of its pixels, which are 8 bits a channel. */
export function pngFile(settings: PngSettings, compressed: Uint8Array): Buffer {
  const { width, height, colourType = 0, isInterlaced = false, chunks = [] } = settings;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colourType, 0, 0, isInterlaced ? 1 : 0], 8);
  const end = pngChunk('IEND', new Uint8Array(0));
  return Buffer.concat([SIGNATURE, pngChunk('IHDR', header), ...chunks, pngChunk('IDAT', compressed), end]);
}

/** PNG, third edition, section 5.3. */
export function pngChunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(4 + named.length + 4);
  chunk.writeUInt32BE(data.length, 0);
  chunk.set(named, 4);
  chunk.writeUInt32BE(crc32(named), 4 + named.length);
  return chunk;
}
