import sharp from 'sharp';
import { restrictDecoders } from './decode-picture.ts';
import { IMAGE_FORMATS, type ImageFormat } from './formats.ts';

/** What sharp is, and what it reads and refuses once it has been set up as for clients' pictures. */
export interface DecodersInForce {
  sharp: string;
  libvips: string;
  read: string[];
  refused: string[];
}

/** How sharp calls the formats that are accepted. */
const ENCODERS = {
  JPEG: 'jpeg',
  PNG: 'png',
  WebP: 'webp',
  GIF: 'gif',
  TIFF: 'tiff',
  AVIF: 'avif',
} as const satisfies Record<ImageFormat, string>;

/** Formats that libvips has loaders for and that nobody may send: one reads other files, the other stands for the rest. */
const FOREIGN = {
  SVG: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"><rect width="2" height="2"/></svg>'),
  PPM: Buffer.concat([Buffer.from('P6 2 2 255\n'), Buffer.alloc(12)]),
};

/** Reads a picture of each format, after `restrictDecoders`. For a process of its own: that is for the whole process. */
export async function decodersInForce(): Promise<DecodersInForce> {
  restrictDecoders();
  const drawn = IMAGE_FORMATS.map(async (name) => {
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: '#808080' } });
    return [name, await picture.toFormat(ENCODERS[name]).toBuffer()] as const;
  });
  const [read, refused]: [string[], string[]] = [[], []];
  for (const [name, file] of [...(await Promise.all(drawn)), ...Object.entries(FOREIGN)]) {
    const isRead = await sharp(file)
      .raw()
      .toBuffer()
      .then(
        () => true,
        () => false,
      );
    (isRead ? read : refused).push(name);
  }
  return { sharp: sharp.versions.sharp ?? 'unknown', libvips: sharp.versions.vips, read, refused };
}
