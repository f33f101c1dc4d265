import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { DomainError } from '@atelier/domain';
import type { Scratch } from '../scratch.ts';
import type { StoredFile } from './stored-file.ts';

/**
 * The file itself, or where it is gzip what is in it, on the disk; who closes that closes both. `malformed-body` for gzip that
 * is damaged, `payload-too-large` beyond what may be unpacked.
 */
export async function decompressed(file: StoredFile, scratch: Scratch): Promise<StoredFile> {
  const start = await file.read(0, 2);
  if (start[0] !== 0x1f || start[1] !== 0x8b) return file;
  const unpacked = await scratch.create(file.name, scratch.maximumUnpackedBytes);
  try {
    await pipeline(Readable.from(file.slices()), createGunzip(), unpacked.writable());
    return unpacked.finish({ alsoClose: file });
  } catch (error) {
    await unpacked.discard();
    if (error instanceof DomainError) throw error;
    throw new DomainError('malformed-body', `${file.name} begins as gzip and is damaged.`, { cause: error });
  }
}
