import type { Pixels } from './pixels.ts';

/** A picture as a PNG file. Loads sharp at the first one. */
export async function pngOf({ width, height, data }: Pixels): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** For the `src` of an image in a page that may load nothing. */
export function pngDataUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}
