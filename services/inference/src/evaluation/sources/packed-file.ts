import { DomainError } from '@atelier/domain';
import { crc32, inflateRawSync } from 'node:zlib';

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
export function unpack({ stored, method, bytes, crc32: expected }: PackedFile): Buffer {
  const unpacked =
    method === METHODS.stored ? Buffer.from(stored.buffer, stored.byteOffset, stored.length) : inflate(stored, bytes);
  if (unpacked.length !== bytes) throw unreadable(`it has ${unpacked.length} bytes, and its header says ${bytes}`);
  if (expected !== null && crc32(unpacked) !== expected)
    throw unreadable('its checksum is another than its header says');
  if (isArchive(unpacked)) throw new DomainError('nested-archive', 'It is an archive itself; expected pictures.');
  return unpacked;
}

function inflate(stored: Uint8Array, bytes: number): Buffer {
  try {
    // The chunk for all of it at once; for less than 64 bytes zlib takes no chunk.
    return inflateRawSync(stored, { maxOutputLength: Math.max(1, bytes), chunkSize: Math.max(64, bytes + 1) });
  } catch (cause) {
    const isLonger = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw unreadable(
      isLonger ? `it unpacks to more than the ${bytes} bytes that its header says` : 'its compressed bytes are damaged',
      cause,
    );
  }
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
