import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DomainError, messageOf } from '@atelier/domain';
import { type Contents, type DatasetFile, type Edition, PARTS } from './edition.ts';

const gunzipAsync = promisify(gunzip);

/** Files that are not there: the normal case in a search, unlike one that is there and cannot be used. */
export class FilesMissing extends DomainError {
  constructor(message: string) {
    super('dataset-not-found', message);
  }
}

/**
 * The four files of `folder`, plain or as `.gz` (the plain one where both are there), decompressed and verified.
 * `dataset-corrupt` names each file with another digest; `dataset-not-found` those missing or not to be read.
 */
export async function readFolder(folder: string, edition: Edition): Promise<Contents> {
  const contents: Partial<Contents> = {};
  const missing: string[] = [];
  const faults: DomainError[] = [];
  for (const part of PARTS) {
    try {
      const bytes = await readVerified(folder, edition[part]);
      if (bytes === null) missing.push(edition[part].name);
      else contents[part] = bytes;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      faults.push(error);
    }
  }
  const [fault, ...others] = faults;
  if (fault !== undefined && others.length === 0) throw fault;
  if (fault !== undefined) {
    throw new DomainError(fault.code, faults.map(messageOf).join(' '), { cause: new AggregateError(faults) });
  }
  if (missing.length === 0) return contents as Contents;
  throw new FilesMissing(`${folder} lacks ${missing.join(', ')} (plain or .gz).`);
}

/** One file of `folder`, decompressed and verified; null where it is there in neither form. */
export async function readVerified(folder: string, file: DatasetFile): Promise<Uint8Array | null> {
  for (const name of [file.name, `${file.name}.gz`]) {
    const path = join(folder, name);
    const bytes = await readIfPresent(path);
    if (bytes !== null) return decompressVerified(bytes, file, path);
  }
  return null;
}

/**
 * The file behind `stored`, which is either the file itself or its gzip; `dataset-corrupt` where it has another digest.
 * `place` is what the message calls it.
 */
export async function decompressVerified(stored: Uint8Array, file: DatasetFile, place: string): Promise<Uint8Array> {
  const bytes = isGzip(stored) ? await decompress(stored, file, place) : stored;
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === file.sha256) return bytes;
  throw corrupt(file, place, `${bytes.length} bytes with SHA-256 ${found}`);
}

async function decompress(stored: Uint8Array, file: DatasetFile, place: string): Promise<Uint8Array> {
  try {
    // One chunk for the whole output spares joining many; the limit stops a small file that would fill the memory.
    return await gunzipAsync(stored, { chunkSize: Math.max(file.sizeBytes, 64), maxOutputLength: file.sizeBytes });
  } catch (cause) {
    const found = `${stored.length} bytes of gzip that do not decompress to it: ${messageOf(cause)}`;
    throw corrupt(file, place, found, cause);
  }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function readIfPresent(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return null;
    throw new DomainError('dataset-not-found', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function corrupt(file: DatasetFile, place: string, found: string, cause?: unknown): DomainError {
  const expected = `${file.sizeBytes} bytes with SHA-256 ${file.sha256} after decompression`;
  return new DomainError('dataset-corrupt', `${place}: expected ${expected}, found ${found}.`, { cause });
}
