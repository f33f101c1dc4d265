import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { DomainError } from '@atelier/domain';
import { RATIO_FROM_BYTES } from '../limits.ts';
import type { SetOpening } from './set-opening.ts';
import type { StoredFile } from './stored-file.ts';

/** What comes out of the unpacker at a time. */
const CHUNK_BYTES = 64 * 1024;

/**
 * The file itself, or where it is gzip what is in it, on the disk; who closes that closes both. `malformed-body` for gzip that
 * is damaged, `payload-too-large` beyond what may be unpacked, altogether or for so few bytes; the reason of `signal`.
 */
export async function decompressed(
  file: StoredFile,
  { limits, scratch, signal }: Pick<SetOpening, 'limits' | 'scratch' | 'signal'>,
): Promise<StoredFile> {
  const start = await file.read(0, 2);
  if (start[0] !== 0x1f || start[1] !== 0x8b) return file;
  const { maximumUnpackedBytes, maximumRatio } = limits;
  const unpacked = await scratch.create(file.name, maximumUnpackedBytes);
  const within = (pieces: AsyncIterable<Buffer>) => withinRatio(pieces, file, maximumRatio);
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  try {
    await pipeline(Readable.from(file.slices()), gunzip, within, unpacked.writable(), { signal });
    return unpacked.finish({ alsoClose: file });
  } catch (error) {
    await unpacked.discard();
    signal.throwIfAborted();
    if (error instanceof DomainError) throw error;
    throw new DomainError('malformed-body', `${file.name} begins as gzip and is damaged.`, { cause: error });
  }
}

async function* withinRatio(
  pieces: AsyncIterable<Buffer>,
  { name, bytes: stored }: StoredFile,
  maximumRatio: number,
): AsyncGenerator<Buffer, void, undefined> {
  const maximum = Math.max(RATIO_FROM_BYTES, maximumRatio * stored);
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > maximum) {
      const detail = `${name} unpacks from ${stored} bytes to more than ${maximum}; at most ${maximumRatio} times as many are taken.`;
      throw new DomainError('payload-too-large', detail);
    }
    yield piece;
  }
}
