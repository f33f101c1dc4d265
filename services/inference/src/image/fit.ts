import { IMAGE_WIDTH } from '@atelier/domain';
import sharp from 'sharp';
import type { Picture } from './picture.ts';

/** Scaled so that the longest edge has 28 pixels; the other keeps the ratio and has at least one. */
export async function fit({ width, height, pixels }: Picture): Promise<Picture> {
  const scale = IMAGE_WIDTH / Math.max(width, height);
  const fitted = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
  const data = await sharp(pixels, { raw: { width, height, channels: 1 } })
    .resize({ ...fitted, fit: 'fill' })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  return { ...fitted, pixels: new Uint8Array(data) };
}
