import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { type PngSettings, pngChunk, pngFile } from './grey-png.ts';

export interface HostileFile {
  name: string;
  file: Buffer;
  /** What it is refused with. */
  code: 'image-too-large' | 'missing-image' | 'undecodable-image' | 'unsupported-media-type';
}

const MEBIBYTE = 1024 * 1024;

/** Files made to hurt, each below a few MiB: by their size when decoded, by what they lack, by what they are in truth. */
export async function hostileFiles(): Promise<HostileFile[]> {
  return [...(await bombs()), ...(await broken()), ...impostors()];
}

/** Little in the file and much in memory, or for long. */
async function bombs(): Promise<HostileFile[]> {
  const blank = (edge: number) => sharp({ create: { width: edge, height: edge, channels: 3, background: 'red' } });
  const progressive = await blank(3000).jpeg({ progressive: true }).toBuffer();
  const webp = await blank(64).webp({ lossless: true }).toBuffer();
  const avif = await blank(64).avif({ effort: 0 }).toBuffer();
  const tiff = await blank(64).tiff({ compression: 'deflate' }).toBuffer();
  return [
    { name: 'a PNG of 12000×12000, interlaced', file: pngBomb({ isInterlaced: true }), code: 'image-too-large' },
    { name: 'a PNG of 12000×12000', file: pngBomb({}), code: 'image-too-large' },
    {
      name: 'a PNG of 2³¹−1 by 2³¹−1',
      file: pngFile({ width: 2 ** 31 - 1, height: 2 ** 31 - 1 }, new Uint8Array(9)),
      code: 'image-too-large',
    },
    { name: 'a GIF of 10000×10000', file: gif(10_000, 10_000, 1), code: 'image-too-large' },
    {
      name: 'a GIF of 200,000 frames of 4000×4000, the first of them damaged',
      file: gif(4000, 4000, 200_000),
      code: 'undecodable-image',
    },
    { name: 'a progressive JPEG of 20000×20000', file: withJpegSize(progressive, 20_000), code: 'image-too-large' },
    { name: 'a JPEG that says 65500×65500', file: withJpegSize(progressive, 65_500), code: 'image-too-large' },
    { name: 'a WebP that says 16383×16383', file: withWebpSize(webp, 16_383), code: 'image-too-large' },
    { name: 'an AVIF that says 30000×30000', file: withAvifSize(avif, 30_000), code: 'image-too-large' },
    { name: 'a TIFF that says 60000×60000', file: withTiffSize(tiff, 60_000), code: 'image-too-large' },
    {
      name: 'a TIFF of 6000×6000 with four floats a pixel, in one strip',
      file: tiffOfFloats(6000),
      code: 'image-too-large',
    },
    { name: 'a PNG whose profile is 128 MiB of zeros', file: pngWith('iCCP', profile(128)), code: 'undecodable-image' },
    { name: 'a PNG whose text is 128 MiB of zeros', file: pngWith('zTXt', profile(128)), code: 'undecodable-image' },
  ];
}

/** What was a picture before something happened to it. */
async function broken(): Promise<HostileFile[]> {
  const noisy = () =>
    sharp({
      create: {
        width: 300,
        height: 200,
        channels: 3,
        background: 'red',
        noise: { type: 'gaussian', mean: 128, sigma: 40 },
      },
    });
  const whole = {
    JPEG: await noisy().jpeg().toBuffer(),
    'progressive JPEG': await noisy().jpeg({ progressive: true }).toBuffer(),
    PNG: await noisy().png().toBuffer(),
    'interlaced PNG': await noisy().png({ progressive: true }).toBuffer(),
    WebP: await noisy().webp().toBuffer(),
    GIF: await noisy().gif().toBuffer(),
    AVIF: await noisy().avif({ effort: 0 }).toBuffer(),
    TIFF: await noisy().tiff({ compression: 'lzw' }).toBuffer(),
  };
  const cut = Object.entries(whole).flatMap(([name, file]) =>
    [0.1, 0.5, 0.9].map((share) => ({
      name: `a ${name} that breaks off after ${share * 100} %`,
      file: file.subarray(0, share * file.length),
      code: 'undecodable-image' as const,
    })),
  );
  const png = whole.PNG;
  const wrongSum = Buffer.from(png);
  wrongSum[29] = (wrongSum[29] ?? 0) ^ 0xff; // the checksum of IHDR
  const wrongPixels = Buffer.from(png);
  wrongPixels[wrongPixels.length >> 1] = (wrongPixels[wrongPixels.length >> 1] ?? 0) ^ 0xff;
  return [
    ...cut,
    { name: 'no bytes', file: Buffer.alloc(0), code: 'missing-image' },
    { name: 'a PNG whose header has a wrong checksum', file: wrongSum, code: 'undecodable-image' },
    { name: 'a PNG whose pixels have a wrong checksum', file: wrongPixels, code: 'undecodable-image' },
    {
      name: 'a PNG without pixels',
      file: pngFile({ width: 28, height: 28 }, new Uint8Array(0)),
      code: 'undecodable-image',
    },
    { name: 'a PNG of 0×0', file: pngFile({ width: 0, height: 0 }, new Uint8Array(9)), code: 'undecodable-image' },
  ];
}

/** What is no picture, whatever it is called or begins with. */
function impostors(): HostileFile[] {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd" width="28" height="28"/></svg>';
  const texts = {
    'an SVG that names a file': svg,
    'an SVG behind an XML declaration': `<?xml version="1.0"?>${svg}`,
    HTML: '<!doctype html><script>alert(1)</script>',
    'a PDF': '%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n',
    'a ZIP': 'PK\u0003\u0004\u0014\0\0\0',
    'a program': '\u007fELF\u0002\u0001\u0001\0',
    'a HEIC': '\0\0\0\u0018ftypheic\0\0\0\0mif1heic',
    'a PostScript file': '%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run',
    'a BMP': 'BM\u0036\0\0\0\0\0\0\0',
    'a PPM': 'P6 28 28 255\n',
    zeros: '\0'.repeat(1000),
  };
  const unsupported = Object.entries(texts).map(([name, text]) => ({
    name,
    file: Buffer.from(text, 'latin1'),
    code: 'unsupported-media-type' as const,
  }));
  const signatures = {
    GIF: 'GIF89a',
    JPEG: '\u00ff\u00d8\u00ff\u00e0',
    PNG: '\u0089PNG\r\n\u001a\n',
    TIFF: 'II*\0',
    WebP: 'RIFF\u0010\0\0\0WEBP',
    AVIF: '\0\0\0\u001cftypavif\0\0\0\0avifmif1',
  };
  const polyglots = Object.entries(signatures).map(([format, signature]) => ({
    name: `an SVG with the first bytes of a ${format}`,
    file: Buffer.concat([Buffer.from(signature, 'latin1'), Buffer.from(svg)]),
    code: 'undecodable-image' as const,
  }));
  return [...unsupported, ...polyglots];
}

/** All the pixels that it says it has, black, in a three-hundredth of a byte each. */
function pngBomb({ isInterlaced = false }: Pick<PngSettings, 'isInterlaced'>): Buffer {
  return pngFile(
    { width: 12_000, height: 12_000, isInterlaced },
    deflateSync(Buffer.alloc(12_001 * 12_000), { level: 6 }),
  );
}

/** What a profile or a text holds: a name, the method, and zeros that were compressed. */
function profile(mebibytes: number): Buffer {
  return Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(mebibytes * MEBIBYTE), { level: 6 })]);
}

function pngWith(type: string, data: Buffer): Buffer {
  return pngFile({ width: 28, height: 28, chunks: [pngChunk(type, data)] }, deflateSync(Buffer.alloc(5)));
}

/** Frames whose pixels are one code that ends the picture too early. */
function gif(width: number, height: number, frames: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16LE(width, 0);
  size.writeUInt16LE(height, 2);
  const start = Buffer.concat([Buffer.from('GIF89a'), size, Buffer.from([0x80, 0, 0, 0, 0, 0, 255, 255, 255])]);
  const frame = Buffer.concat([Buffer.from([0x2c, 0, 0, 0, 0]), size, Buffer.from([0, 2, 1, 0x2c, 0])]);
  return Buffer.concat([start, ...Array<Buffer>(frames).fill(frame), Buffer.from([0x3b])]);
}

/** Writes another size into the frame header (SOF) of a JPEG. */
function withJpegSize(jpeg: Buffer, edge: number): Buffer {
  const changed = Buffer.from(jpeg);
  for (let offset = 2; offset < changed.length; offset += 2 + changed.readUInt16BE(offset + 2)) {
    const marker = changed[offset + 1] ?? 0;
    if (marker !== 0xc0 && marker !== 0xc2) continue;
    changed.writeUInt16BE(edge, offset + 5);
    changed.writeUInt16BE(edge, offset + 7);
    return changed;
  }
  throw new Error('The JPEG has no frame header.');
}

/** Writes another size into the header of a lossless WebP: 14 bits each, less one. */
function withWebpSize(webp: Buffer, edge: number): Buffer {
  const changed = Buffer.from(webp);
  const place = changed.indexOf('VP8L') + 9;
  const flags = changed.readUInt32LE(place) & 0xf0000000;
  changed.writeUInt32LE(((flags | (edge - 1) | ((edge - 1) << 14)) >>> 0) % 2 ** 32, place);
  return changed;
}

/** Writes another size into every property `ispe` of an AVIF. */
function withAvifSize(avif: Buffer, edge: number): Buffer {
  const changed = Buffer.from(avif);
  for (let place = changed.indexOf('ispe'); place >= 0; place = changed.indexOf('ispe', place + 4)) {
    changed.writeUInt32BE(edge, place + 8);
    changed.writeUInt32BE(edge, place + 12);
  }
  return changed;
}

/** Writes another size into the first directory of a little-endian TIFF. */
function withTiffSize(tiff: Buffer, edge: number): Buffer {
  const changed = Buffer.from(tiff);
  const directory = changed.readUInt32LE(4);
  for (let entry = 0; entry < changed.readUInt16LE(directory); entry++) {
    const place = directory + 2 + 12 * entry;
    const tag = changed.readUInt16LE(place);
    if (tag !== 256 && tag !== 257) continue;
    changed.writeUInt16LE(4, place + 2); // LONG
    changed.writeUInt32LE(edge, place + 8);
  }
  return changed;
}

/** A TIFF of IEEE floats, four a pixel, in one compressed strip that breaks off. */
function tiffOfFloats(edge: number): Buffer {
  const strip = deflateSync(Buffer.alloc(8 * MEBIBYTE), { level: 6 });
  const entries: [tag: number, type: 3 | 4, values: number[]][] = [
    [256, 4, [edge]],
    [257, 4, [edge]],
    [258, 3, [32, 32, 32, 32]],
    [259, 3, [8]],
    [262, 3, [2]],
    [273, 4, [0]],
    [277, 3, [4]],
    [278, 4, [edge]],
    [279, 4, [strip.length]],
    [338, 3, [2]],
    [339, 3, [3, 3, 3, 3]],
  ];
  const directory = Buffer.alloc(2 + 12 * entries.length + 4);
  const behind: Buffer[] = [];
  let free = 8 + directory.length;
  directory.writeUInt16LE(entries.length, 0);
  for (const [index, [tag, type, values]] of entries.entries()) {
    const place = 2 + 12 * index;
    directory.writeUInt16LE(tag, place);
    directory.writeUInt16LE(type, place + 2);
    directory.writeUInt32LE(values.length, place + 4);
    if (values.length === 1 && type === 4) directory.writeUInt32LE(values[0] ?? 0, place + 8);
    else if (values.length === 1) directory.writeUInt16LE(values[0] ?? 0, place + 8);
    else {
      directory.writeUInt32LE(free, place + 8);
      behind.push(Buffer.from(Uint16Array.from(values).buffer));
      free += 2 * values.length;
    }
  }
  directory.writeUInt32LE(free, 2 + 12 * entries.findIndex(([tag]) => tag === 273) + 8);
  return Buffer.concat([Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]), directory, ...behind, strip]);
}
