import { encode } from 'fast-png';
import type { Pixels } from './pixels.ts';

/** Best: these pictures are small, are made once and lie in pages. */
const COMPRESSION_LEVEL = 9;

/** A picture as a PNG file, by plain JavaScript: nothing native has to be loaded for it. */
export function pngOf({ width, height, data }: Pixels): Uint8Array {
  return encode({ width, height, data, channels: 3, depth: 8 }, { zlib: { level: COMPRESSION_LEVEL } });
}

/** Brightness [height, width], 0 black to 255 white, as a PNG file of one channel: a third of the bytes, and of the time. */
export function greyPngOf(brightness: Uint8Array, width: number): Uint8Array {
  const height = brightness.length / width;
  return encode({ width, height, data: brightness, channels: 1, depth: 8 }, { zlib: { level: COMPRESSION_LEVEL } });
}

/** For the `src` of an image in a page that may load nothing. */
export function pngDataUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}
