/** How the files that we accept begin (the formats' own specifications); a name or a declared type can lie. */
const SIGNATURES = {
  JPEG: (file: Buffer) => startsWith(file, [0xff, 0xd8, 0xff]),
  PNG: (file: Buffer) => startsWith(file, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  WebP: (file: Buffer) => textAt(file, 0, 4) === 'RIFF' && textAt(file, 8, 4) === 'WEBP',
  GIF: (file: Buffer) => ['GIF87a', 'GIF89a'].includes(textAt(file, 0, 6)),
  TIFF: (file: Buffer) => startsWith(file, [0x49, 0x49, 0x2a, 0x00]) || startsWith(file, [0x4d, 0x4d, 0x00, 0x2a]),
  // ISO base media file whose brands, which follow `ftyp`, name AVIF; its neighbour HEIC has no decoder here.
  AVIF: (file: Buffer) => textAt(file, 4, 4) === 'ftyp' && /avi[fs]/.test(textAt(file, 8, 56)),
} as const;

export type ImageFormat = keyof typeof SIGNATURES;

export const IMAGE_FORMATS = Object.keys(SIGNATURES) as ImageFormat[];

/** The format of an image file by its first bytes, or undefined when it is none that we accept. */
export function imageFormat(file: Buffer): ImageFormat | undefined {
  return IMAGE_FORMATS.find((format) => SIGNATURES[format](file));
}

function startsWith(file: Buffer, bytes: readonly number[]): boolean {
  return bytes.every((byte, index) => file[index] === byte);
}

function textAt(file: Buffer, offset: number, length: number): string {
  return file.toString('latin1', offset, offset + length);
}
