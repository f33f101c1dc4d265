import { DomainError } from '@atelier/domain';
import { promisify } from 'node:util';
import { crc32, inflateRaw, inflateRawSync } from 'node:zlib';

/** How ZIP archives keep a file; others of its methods have no reader here. */
export const METHODS = { stored: 0, deflated: 8 } as const;

/** A file as it is stored: whoever decodes it unpacks it, elsewhere than where requests are answered. */
export interface PackedFile {
  stored: Uint8Array;
  method: (typeof METHODS)[keyof typeof METHODS];
  /** Unpacked, as its header says. */
  bytes: number;
  /** Of the unpacked bytes, as its header says; null where nobody says it. */
  crc32: number | null;
}

/** A file that is in no archive. */
export function plainFile(bytes: Uint8Array): PackedFile {
  return { stored: bytes, method: METHODS.stored, bytes: bytes.length, crc32: null };
}

/**
 * The bytes of a file. `unreadable-entry` where they are not what its header says, and as soon as there are more of them
 * than that; `nested-archive` where they begin as an archive does.
 */
export function unpack(file: PackedFile): Buffer {
  if (file.method === METHODS.stored) return checked(asStored(file), file);
  try {
    return checked(inflateRawSync(file.stored, inflateOptions(file)), file);
  } catch (cause) {
    throw inflateFault(cause, file);
  }
}

/** The same on another thread, for a file that is large and is needed here. */
export async function unpackElsewhere(file: PackedFile): Promise<Buffer> {
  if (file.method === METHODS.stored) return checked(asStored(file), file);
  try {
    return checked(await promisify(inflateRaw)(file.stored, inflateOptions(file)), file);
  } catch (cause) {
    throw inflateFault(cause, file);
  }
}

function asStored({ stored }: PackedFile): Buffer {
  return Buffer.from(stored.buffer, stored.byteOffset, stored.length);
}

function checked(unpacked: Buffer, { bytes, crc32: expected }: PackedFile): Buffer {
  if (unpacked.length !== bytes) throw unreadable(`it has ${unpacked.length} bytes, and its header says ${bytes}`);
  if (expected !== null && crc32(unpacked) !== expected)
    throw unreadable('its checksum is another than its header says');
  if (isArchive(unpacked)) throw new DomainError('nested-archive', 'It is an archive itself; expected pictures.');
  return unpacked;
}

/** The chunk for all of it at once; for less than 64 bytes zlib takes no chunk. */
function inflateOptions({ bytes }: PackedFile) {
  return { maxOutputLength: Math.max(1, bytes), chunkSize: Math.max(64, bytes + 1) };
}

function inflateFault(cause: unknown, { bytes }: PackedFile): DomainError {
  if (cause instanceof DomainError) return cause;
  const isLonger = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
  return unreadable(
    isLonger ? `it unpacks to more than the ${bytes} bytes that its header says` : 'its compressed bytes are damaged',
    cause,
  );
}

export function unreadable(reason: string, cause?: unknown): DomainError {
  return new DomainError('unreadable-entry', `The entry cannot be read: ${reason}.`, { cause });
}

/** How archives begin: ZIP, gzip, 7-Zip, RAR, bzip2, xz. */
const ARCHIVES = ['504b0304', '504b0506', '1f8b', '377abcaf', '52617221', '425a68', 'fd377a585a'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

export function isArchive(bytes: Buffer): boolean {
  return ARCHIVES.some((start) => bytes.subarray(0, start.length).equals(start));
}
