import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { DomainError } from '@atelier/domain';
import { InvalidRequest, mediaTypeOf } from '@atelier/http';
import type { Scratch } from '../evaluation/scratch.ts';
import type { StoredFile } from '../evaluation/sources/stored-file.ts';
import { readForm } from './form-upload.ts';
import { pumpBody, type PumpParts } from './pump-body.ts';

/** Form fields that carry files of a set. */
export const SET_FIELDS = ['archive', 'images', 'labels', 'csv'] as const;

/** No set has more files than images and labels. */
const MAXIMUM_FILES = 2;

export interface UploadParts extends PumpParts {
  scratch: Scratch;
}

/**
 * What a request carries, on the disk: the files of a form, or the body as one file. Nothing of it is held in memory. Rejects with
 * `malformed-multipart`, `invalid-request`, `payload-too-large`, `overloaded`, `disk-full`, `malformed-body` when it is cut
 * short, `upload-timeout`, `unsupported-media-type` for a body that is compressed in transfer, and the reason of `signal`; then nothing stays.
 */
export async function receiveFiles(
  request: IncomingMessage,
  { scratch, ...pace }: UploadParts,
  signal: AbortSignal,
): Promise<StoredFile[]> {
  refuseEncoding(request);
  if (!isForm(request)) return [await receiveBody(request, { scratch, ...pace }, signal)];
  const files: StoredFile[] = [];
  try {
    await readForm(
      request,
      {
        fields: SET_FIELDS,
        maximumFiles: MAXIMUM_FILES,
        maximumBytes: Infinity, // each file has its limit, and says which of them it was
        tooMany: () => new InvalidRequest(`More than ${MAXIMUM_FILES} files came.`, []),
        take: async (field, stream) => {
          files.push(await keep(stream, field, scratch));
        },
        ...pace,
      },
      signal,
    );
    return files;
  } catch (error) {
    for (const file of files) await file.close();
    throw error;
  }
}

export function isForm({ headers }: IncomingMessage): boolean {
  return mediaTypeOf(headers['content-type']) === 'multipart/form-data';
}

/** The body as one file on the disk. */
export async function receiveBody(
  request: IncomingMessage,
  { scratch, ...pace }: UploadParts,
  signal: AbortSignal,
): Promise<StoredFile> {
  const file = await scratch.create('The body');
  try {
    await pumpBody(request, (piece) => file.write(piece), pace, signal);
    return file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** A file of a form on the disk. */
export async function keep(stream: Readable, field: string, scratch: Scratch): Promise<StoredFile> {
  const file = await scratch.create(`The file in the field "${field}"`);
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) await file.write(piece);
    return file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

export function refuseEncoding({ headers }: IncomingMessage): void {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return;
  throw new DomainError(
    'unsupported-media-type',
    `Content-Encoding ${JSON.stringify(encoding)}; expected none: the files may be compressed themselves.`,
  );
}
