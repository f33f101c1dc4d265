import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { DomainError } from '@atelier/domain';
import { mediaTypeOf, unsupportedMediaType } from '@atelier/http';
import type { BulkTurns } from '../evaluation/bulk-turns.ts';
import { FileQueue } from '../evaluation/file-queue.ts';
import type { SetLimits } from '../evaluation/limits.ts';
import { collected } from '../evaluation/sources/collect-files.ts';
import type { NamedFile } from '../evaluation/sources/labelled-set.ts';
import { type PackedFile, plainFile } from '../evaluation/sources/packed-file.ts';
import type { StoredFile } from '../evaluation/sources/stored-file.ts';
import { type ArchiveReading, openArchive } from '../evaluation/sources/zip/archive.ts';
import { shownName, skipped } from '../evaluation/sources/zip/entry-names.ts';
import { readForm } from './form-upload.ts';
import { tooManyImages } from './image-limits.ts';
import { isForm, keep, receiveBody, refuseEncoding, type UploadParts } from './uploads.ts';

const FIELDS = ['image', 'archive'] as const;
const ARCHIVES = ['application/zip', 'application/x-zip-compressed', 'application/octet-stream'];

export interface ReceiveBatchParts extends UploadParts {
  limits: SetLimits;
  turns: BulkTurns;
}

/**
 * The files that a request carries, in their order and in parts, each as soon as it has arrived: those of a form, of which nothing
 * goes to the disk; or those of an archive, which does. Whatever is not taken keeps its sender waiting. Rejects as `readForm`,
 * `receiveFiles` and `openArchive` do, with `too-many-images`, with `missing-image` where there is not one, and with
 * `unsupported-media-type` for another kind of body.
 */
export async function* receiveBatch(
  request: IncomingMessage,
  parts: ReceiveBatchParts,
  signal: AbortSignal,
): AsyncGenerator<NamedFile[], void, undefined> {
  refuseEncoding(request);
  const mediaType = mediaTypeOf(request.headers['content-type']);
  if (isForm(request)) {
    yield* filesOfForm(request, parts, signal);
    return;
  }
  if (!ARCHIVES.includes(mediaType)) {
    throw unsupportedMediaType(`multipart/form-data or ${ARCHIVES.join(', ')}`, mediaType);
  }
  yield* filesOfArchive(await receiveBody(request, parts, signal), { ...parts, signal });
}

async function* filesOfForm(
  request: IncomingMessage,
  { scratch, traffic, arrival, limits, turns }: ReceiveBatchParts,
  signal: AbortSignal,
): AsyncGenerator<NamedFile[], void, undefined> {
  const queue = new FileQueue();
  let isEmpty = true;
  const gone = new AbortController();
  let archive: StoredFile | undefined;
  let count = 0;
  let last = Promise.resolve(); // small files of one piece end together
  const reading = readForm(
    request,
    {
      fields: FIELDS,
      maximumFiles: limits.maximumEntries,
      maximumBytes: limits.maximumUploadBytes,
      tooMany: () => tooManyImages(limits.maximumEntries),
      room: () => queue.room(),
      traffic,
      arrival,
      take: async (field, stream, filename) => {
        isEmpty = false;
        if (field === 'image') {
          const [before, file] = [last, fileIn(stream, filename ?? `image ${++count}`, limits)];
          last = Promise.all([file, before]).then(([named]) => queue.push(named));
          await last;
        } else if (archive === undefined) archive = await keep(stream, field, scratch);
        else throw new DomainError('invalid-request', 'Expected one archive; came another.');
      },
    },
    AbortSignal.any([signal, gone.signal]),
  ).then(
    () => queue.end(),
    (error: unknown) => queue.end(error as Error),
  );
  try {
    yield* queue.parts();
    if (isEmpty) {
      const detail = 'Expected files in the field "image" or an archive in the field "archive"; the form has neither.';
      throw new DomainError('missing-image', detail);
    }
    if (archive !== undefined) yield* filesOfArchive(archive, { limits, turns, signal });
  } finally {
    gone.abort();
    await reading;
    await archive?.close();
  }
}

/** A file of a form; one that is too large is read to its end and not kept. */
async function fileIn(stream: Readable, filename: string, { maximumEntryBytes }: SetLimits): Promise<NamedFile> {
  const name = shownName(filename);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes <= maximumEntryBytes) pieces.push(piece);
    else pieces.length = 0;
  }
  if (bytes <= maximumEntryBytes) return { name, file: plainFile(Buffer.concat(pieces)) };
  return skipped(name, 'entry-too-large', `The file has ${bytes} bytes; at most ${maximumEntryBytes} are taken.`);
}

/** Closes the file. */
async function* filesOfArchive(
  file: StoredFile,
  reading: ArchiveReading,
): AsyncGenerator<NamedFile[], void, undefined> {
  try {
    const archive = await openArchive(file, reading);
    if (archive.entries.length === 0) {
      const detail = `The archive has no picture: of its entries ${archive.ignored} are ignored, and the others are folders.`;
      throw new DomainError('missing-image', detail);
    }
    const files = async function* (): AsyncGenerator<NamedFile, void, undefined> {
      for (const entry of archive.entries) yield 'code' in entry ? entry : await archive.read(entry);
    };
    yield* collected<{ name: string; file: PackedFile }>(files());
  } finally {
    await file.close();
  }
}
