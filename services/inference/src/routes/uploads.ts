import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { once } from 'node:events';
import { DomainError, messageOf } from '@atelier/domain';
import { InvalidRequest } from '@atelier/http';
import busboy, { type Busboy } from 'busboy';
import type { OnlineTraffic } from '../batching/online-traffic.ts';
import type { Scratch } from '../evaluation/scratch.ts';
import type { StoredFile } from '../evaluation/sources/stored-file.ts';
import { pumpBody } from './pump-body.ts';

/** Form fields that carry files of a set. */
export const SET_FIELDS = ['archive', 'images', 'labels', 'csv'] as const;
type SetField = (typeof SET_FIELDS)[number];

/** No set has more files than images and labels. */
const MAXIMUM_FILES = 2;

export interface UploadParts {
  scratch: Scratch;
  traffic: OnlineTraffic;
}

/**
 * What a request carries, on the disk: the files of a form, or the body as one file. Nothing of it is held in memory. Rejects with
 * `malformed-multipart`, `invalid-request`, `payload-too-large`, `overloaded`, `disk-full`, `malformed-body` when it is cut
 * short, `unsupported-media-type` for a body that is compressed in transfer, and the reason of `signal`; then nothing stays.
 */
export async function receiveFiles(
  request: IncomingMessage,
  { scratch, traffic }: UploadParts,
  signal: AbortSignal,
): Promise<StoredFile[]> {
  refuseEncoding(request);
  const contentType = request.headers['content-type'] ?? '';
  const files: StoredFile[] = [];
  try {
    if (/^multipart\/form-data\b/i.test(contentType)) {
      await receiveForm(request, contentType, files, { scratch, traffic }, signal);
    } else {
      const file = await scratch.create('The body');
      try {
        await pumpBody(request, (piece) => file.write(piece), traffic, signal);
      } catch (error) {
        await file.discard();
        throw error;
      }
      files.push(file.finish());
    }
    return files;
  } catch (error) {
    for (const file of files) await file.close();
    signal.throwIfAborted();
    throw malformed(error);
  }
}

/** Resolves when everything is on the disk; rejects when nothing is written there any more. */
async function receiveForm(
  request: IncomingMessage,
  contentType: string,
  files: StoredFile[],
  { scratch, traffic }: UploadParts,
  signal: AbortSignal,
): Promise<void> {
  const parser = createParser(contentType);
  const parsed = finished(parser);
  const stop = new AbortController();
  const failed = new Promise<never>((_, reject) => void parsed.catch(reject));
  failed.catch(() => undefined); // told where it is waited for
  const writing: Promise<void>[] = [];
  const refuse = (error: Error) => parser.destroy(error);
  parser.on('file', (field: string | undefined, stream) => {
    stream.on('error', () => undefined); // the parser's own error says it
    if (!isSetField(field)) {
      refuse(strangeField(field ?? ''));
      return;
    }
    const written = keep(stream, field, scratch, files);
    written.catch((error: unknown) => refuse(error as Error));
    writing.push(written);
  });
  parser.on('field', (field: string | undefined) => refuse(strangeField(field ?? '')));
  parser.on('filesLimit', () => refuse(new InvalidRequest(`More than ${MAXIMUM_FILES} files came.`, [])));
  try {
    const feed = async (piece: Buffer) => {
      if (!parser.write(piece)) await Promise.race([once(parser, 'drain'), failed]);
    };
    await Promise.race([pumpBody(request, feed, traffic, AbortSignal.any([signal, stop.signal])), failed]);
    parser.end();
    await parsed;
  } catch (error) {
    stop.abort();
    parser.destroy();
    throw error;
  } finally {
    await Promise.allSettled(writing);
  }
}

async function keep(stream: Readable, field: SetField, scratch: Scratch, files: StoredFile[]): Promise<void> {
  const file = await scratch.create(`The file in the field "${field}"`);
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) await file.write(piece);
    files.push(file.finish());
  } catch (error) {
    await file.discard();
    throw error;
  }
}

function createParser(contentType: string): Busboy {
  try {
    return busboy({ headers: { 'content-type': contentType }, limits: { files: MAXIMUM_FILES, fields: 1 } });
  } catch (cause) {
    const message = 'The Content-Type of the form has no boundary that can be read.';
    throw new DomainError('malformed-multipart', message, { cause });
  }
}

function refuseEncoding({ headers }: IncomingMessage): void {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return;
  throw new DomainError(
    'unsupported-media-type',
    `Content-Encoding ${JSON.stringify(encoding)}; expected none: the files may be compressed themselves.`,
  );
}

function isSetField(field: string | undefined): field is SetField {
  return SET_FIELDS.some((known) => known === field);
}

function strangeField(field: string): InvalidRequest {
  const isKnown = isSetField(field);
  const detail = isKnown
    ? 'came as text; expected a file (with curl: -F archive=@folder.zip, the @ included)'
    : 'no such field';
  return new InvalidRequest(`Expected files in the fields ${SET_FIELDS.join(', ')} and nothing else.`, [
    { parameter: field.slice(0, 64), detail },
  ]);
}

/** What the parser of forms says; other failures stay what they are. */
function malformed(cause: unknown): unknown {
  const reason = REASONS.find(([words]) => messageOf(cause).includes(words))?.[1];
  if (reason === undefined) return cause;
  return new DomainError('malformed-multipart', `The body is not multipart/form-data: ${reason}.`, { cause });
}

const REASONS = [
  ['end of form', 'it breaks off, or its boundary is not the one in the Content-Type'],
  ['Malformed part header', 'the header of a part cannot be read'],
] as const;
