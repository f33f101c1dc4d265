import type { ColourPicture, Mask, Picture } from '@atelier/inference';
import sharp from 'sharp';

export type Rgb = readonly [number, number, number];

/** A picture whose pixels a function gives, red, green and blue, 0 to 255. */
export function drawnPicture(width: number, height: number, colourAt: (x: number, y: number) => Rgb): ColourPicture {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set(colourAt(x, y).map(toByte), 3 * (y * width + x));
  }
  return { width, height, pixels };
}

/** The file of it, without loss. */
export function drawnFile(picture: ColourPicture): Promise<Buffer> {
  const { width, height, pixels } = picture;
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Rows of a mask or of a grey picture as text: `.` is 0, `#` is 1, any other digit or hexadecimal letter itself. */
export function rowsOf(...rows: string[]): Mask & Picture {
  const values = rows.flatMap((row) =>
    [...row].map((sign) => (sign === '.' ? 0 : sign === '#' ? 1 : parseInt(sign, 16))),
  );
  return { width: rows[0]?.length ?? 0, height: rows.length, pixels: Uint8Array.from(values) };
}

/** The same in the other direction. */
export function textOf({ width, pixels }: Pick<Picture, 'width' | 'pixels'>): string[] {
  const signs = [...pixels].map((value) => (value === 0 ? '.' : value === 1 ? '#' : value.toString(16))).join('');
  return signs.match(new RegExp(`.{${width}}`, 'g')) ?? [];
}

/** A repeatable number from 0 to 1 for each place. */
export function speckle(x: number, y: number): number {
  const mixed = Math.imul(Math.imul(x, 374761393) ^ Math.imul(y, 668265263), 1274126177);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

function toByte(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)));
}
