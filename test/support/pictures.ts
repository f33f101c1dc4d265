import sharp, { type Sharp } from 'sharp';

/** An image in the data set's form [28, 28]: a grey gradient of a garment on black, every value of it different enough. */
export function garmentImage(): Uint8Array {
  return Uint8Array.from({ length: 28 * 28 }, (_, place) => {
    const [x, y] = [place % 28, Math.floor(place / 28)];
    return x >= 5 && x < 23 && y >= 2 && y < 26 ? (x * 11 + y * 29 + 40) % 256 : 0;
  });
}

/** PNG files of a grey image [28, 28] by the way they store it: bit depth and colour type as the file's header says. */
export async function pngVariants(
  image: Uint8Array,
): Promise<{ name: string; depth: number; colourType: number; file: Buffer }[]> {
  const spread = (channels: number, opaque: boolean) =>
    Buffer.from(
      [...image].flatMap((pixel) => [
        ...Array<number>(channels - (opaque ? 1 : 0)).fill(pixel),
        ...(opaque ? [255] : []),
      ]),
    );
  const raw = (data: Uint8Array, channels: 1 | 2 | 3 | 4) => sharp(data, { raw: { width: 28, height: 28, channels } });
  const grey = () => raw(image, 1).toColourspace('b-w');
  const rgb = () => raw(spread(3, false), 3);
  const rgba = () => raw(spread(4, true), 4);
  const pictures = {
    grey: [8, 0, grey().png()],
    'grey, interlaced': [8, 0, grey().png({ progressive: true })],
    'grey with alpha': [8, 4, raw(spread(2, true), 2).toColourspace('b-w').png()],
    'grey of 16 bits': [16, 0, raw(image, 1).toColourspace('grey16').png()],
    RGB: [8, 2, rgb().png()],
    'RGB with alpha': [8, 6, rgba().png()],
    'RGB of 16 bits': [16, 2, rgb().toColourspace('rgb16').png()],
    palette: [8, 3, rgb().png({ palette: true, colours: 256, dither: 0 })],
  } as const;
  return Promise.all(
    Object.entries(pictures).map(async ([name, [depth, colourType, picture]]) => ({
      name,
      depth,
      colourType,
      file: await picture.toBuffer(),
    })),
  );
}

/** A PNG of a grey image [28, 28]. */
export function pngOf(image: Uint8Array): Promise<Buffer> {
  return sharp(image, { raw: { width: 28, height: 28, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** A picture of `width` by `height` with one filled rectangle, in grey values 0 to 255. */
export function rectanglePicture(
  { width, height }: { width: number; height: number },
  rectangle: { left: number; top: number; width: number; height: number },
  { background, foreground }: { background: number; foreground: number },
): Sharp {
  const grey = (value: number) => ({ r: value, g: value, b: value });
  const create = { channels: 3, background: grey(foreground) } as const;
  return sharp({ create: { width, height, channels: 3, background: grey(background) } }).composite([
    {
      input: { create: { ...create, width: rectangle.width, height: rectangle.height } },
      left: rectangle.left,
      top: rectangle.top,
    },
  ]);
}
