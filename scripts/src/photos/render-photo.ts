import sharp from 'sharp';
import type { Photo } from './photo-set.ts';

/** The JPEG file of a picture, as a camera or a shop would hand it over. */
export async function renderPhoto({ svg, quality }: Photo): Promise<Buffer> {
  return sharp(Buffer.from(svg)).flatten({ background: 'white' }).jpeg({ quality }).toBuffer();
}
