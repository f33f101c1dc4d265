import sharp, { type Sharp } from 'sharp';

/** Red, green and blue [height, width, 3], and how opaque each pixel is [height, width]. */
export interface LayeredColours {
  width: number;
  height: number;
  colours: Uint8Array;
  opacity: Uint8Array;
}

/** The eight ways in which EXIF lets a picture lie, as the place in the file of what is at (x, y) when it is looked at. */
const STORED_AT: Record<number, (x: number, y: number, width: number, height: number) => [number, number]> = {
  1: (x, y) => [x, y],
  2: (x, y, width) => [width - 1 - x, y],
  3: (x, y, width, height) => [width - 1 - x, height - 1 - y],
  4: (x, y, _, height) => [x, height - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, width) => [y, width - 1 - x],
  7: (x, y, width, height) => [height - 1 - y, width - 1 - x],
  8: (x, y, _, height) => [height - 1 - y, x],
};

/** Of the forms below, those that hold every pixel as it is; one turned by a quarter is scaled along its other edge first. */
export const EXACT_FORMS: readonly string[] = [
  'PNG, interlaced',
  'PNG of 16 bits',
  'PNG with alpha, opaque',
  'WebP, lossless',
  'TIFF',
  'TIFF, uncompressed',
  'TIFF in tiles',
  'PNG, EXIF orientation 3',
  'WebP, EXIF orientation 3',
  'TIFF, orientation 3',
];

/** One picture in every form in which a file may hold it, by name. What is transparent in it is nearly white as a colour. */
export async function filesOf(picture: LayeredColours): Promise<Record<string, Buffer>> {
  const { width, height, colours, opacity } = picture;
  const rgb = () => sharp(colours, { raw: { width, height, channels: 3 } });
  const withAlpha = (alpha: Uint8Array) => sharp(layered(colours, alpha), { raw: { width, height, channels: 4 } });
  const forms: Record<string, Sharp> = {
    PNG: rgb().png(),
    'PNG, interlaced': rgb().png({ progressive: true }),
    'PNG, palette': rgb().png({ palette: true }),
    'PNG, grey': rgb().toColourspace('b-w').png(),
    'PNG, grey of 16 bits': rgb().toColourspace('grey16').png(),
    'PNG of 16 bits': rgb().toColourspace('rgb16').png(),
    'PNG with alpha, opaque': withAlpha(opacity.map(() => 255)).png(),
    'PNG with alpha, cut out': withAlpha(opacity).png(),
    JPEG: rgb().jpeg({ quality: 90 }),
    'JPEG, progressive': rgb().jpeg({ quality: 90, progressive: true }),
    'JPEG, grey': rgb().toColourspace('b-w').jpeg({ quality: 90 }),
    'JPEG, CMYK': rgb().toColourspace('cmyk').jpeg({ quality: 90 }),
    'JPEG with another profile': rgb().withIccProfile('p3').jpeg({ quality: 90 }),
    WebP: rgb().webp({ quality: 90 }),
    'WebP, lossless': rgb().webp({ lossless: true }),
    'WebP, lossless and cut out': withAlpha(opacity).webp({ lossless: true }),
    GIF: rgb().gif(),
    'GIF, cut out': withAlpha(opacity).gif(),
    AVIF: rgb().avif({ quality: 80, effort: 0 }),
    TIFF: rgb().tiff({ compression: 'lzw' }),
    'TIFF, uncompressed': rgb().tiff({ compression: 'none' }),
    'TIFF of JPEG': rgb().tiff({ compression: 'jpeg', quality: 90 }),
    'TIFF, CMYK': rgb().toColourspace('cmyk').tiff({ compression: 'lzw' }),
    'TIFF in tiles': rgb().tiff({ tile: true, compression: 'deflate' }),
  };
  for (const orientation of Object.keys(STORED_AT).map(Number)) {
    forms[`JPEG, EXIF orientation ${orientation}`] = turned(picture, orientation).jpeg({ quality: 90 });
  }
  for (const orientation of [3, 6]) {
    forms[`PNG, EXIF orientation ${orientation}`] = turned(picture, orientation).png();
    forms[`WebP, EXIF orientation ${orientation}`] = turned(picture, orientation).webp({ lossless: true });
    forms[`TIFF, orientation ${orientation}`] = turned(picture, orientation).tiff({ compression: 'lzw' });
  }
  const files = await Promise.all(Object.entries(forms).map(async ([name, form]) => [name, await form.toBuffer()]));
  return Object.fromEntries(files) as Record<string, Buffer>;
}

function turned({ width, height, colours }: LayeredColours, orientation: number): Sharp {
  const [storedWidth, storedHeight] = orientation > 4 ? [height, width] : [width, height];
  const stored = new Uint8Array(colours.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [left, top] = STORED_AT[orientation]?.(x, y, width, height) ?? [x, y];
      stored.set(colours.subarray(3 * (y * width + x), 3 * (y * width + x) + 3), 3 * (top * storedWidth + left));
    }
  }
  return sharp(stored, { raw: { width: storedWidth, height: storedHeight, channels: 3 } }).withMetadata({
    orientation,
  });
}

function layered(colours: Uint8Array, opacity: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(opacity.length * 4);
  for (const [place, alpha] of opacity.entries()) {
    pixels.set(colours.subarray(3 * place, 3 * place + 3), 4 * place);
    pixels[4 * place + 3] = alpha;
  }
  return pixels;
}
