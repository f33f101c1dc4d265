import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { DomainError } from '@atelier/domain';
import { InvalidRequest } from '@atelier/http';
import { createFormParser, malformedForm } from './form-parser.ts';
import { pumpBody, type PumpParts } from './pump-body.ts';

export interface FormOptions<Field extends string> extends PumpParts {
  /** Those that carry files; any other is `invalid-request`. */
  fields: readonly Field[];
  maximumFiles: number;
  /** Of the whole form. */
  maximumBytes: number;
  /** What to say where there are more. */
  tooMany: () => DomainError;
  /** Takes a file to its end. Where it rejects the form is given up. */
  take: (field: Field, stream: Readable, filename: string | undefined) => Promise<void>;
  /** Resolves when more of the form may be read. Default: at once. */
  room?: () => Promise<void>;
}

/**
 * Reads a multipart form file by file, while it comes. Resolves when every file has been taken; rejects with
 * `malformed-multipart`, `invalid-request`, `payload-too-large`, `malformed-body`, `upload-timeout`, the reason of `take` or of `signal`, once no file is being taken.
 */
export async function readForm<Field extends string>(
  request: IncomingMessage,
  { fields, maximumFiles, maximumBytes, tooMany, take, room, ...pace }: FormOptions<Field>,
  signal: AbortSignal,
): Promise<void> {
  const parser = createFormParser(request.headers['content-type'] ?? '', {
    limits: { files: maximumFiles, fields: 1 },
    defParamCharset: 'utf8',
  });
  const parsed = finished(parser);
  const stop = new AbortController();
  const failed = new Promise<never>((_, reject) => void parsed.catch(reject));
  failed.catch(() => undefined); // told where it is waited for
  const taking: Promise<void>[] = [];
  const refuse = (error: Error) => parser.destroy(error);
  parser.on('file', (name: string | undefined, stream, { filename }: { filename?: string }) => {
    stream.on('error', () => undefined); // the parser's own error says it
    const field = fields.find((known) => known === name);
    if (field === undefined) {
      refuse(strangeField(name ?? '', fields));
      return;
    }
    const taken = take(field, stream, filename);
    taken.catch((error: unknown) => refuse(error as Error));
    taking.push(taken);
  });
  parser.on('field', (name: string | undefined) => refuse(strangeField(name ?? '', fields)));
  parser.on('filesLimit', () => refuse(tooMany()));
  let bytes = 0;
  const feed = async (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > maximumBytes) throw new DomainError('payload-too-large', `The form exceeds ${maximumBytes} bytes.`);
    if (!parser.write(piece)) await Promise.race([once(parser, 'drain'), failed]);
    await room?.();
  };
  try {
    await Promise.race([pumpBody(request, feed, pace, AbortSignal.any([signal, stop.signal])), failed]);
    parser.end();
    await parsed;
    await Promise.all(taking);
  } catch (error) {
    stop.abort();
    parser.destroy();
    signal.throwIfAborted();
    throw malformedForm(error);
  } finally {
    await Promise.allSettled(taking);
  }
}

function strangeField(name: string, fields: readonly string[]): InvalidRequest {
  const detail = fields.includes(name)
    ? `came as text; expected a file (with curl: -F ${name}=@FILE, the @ included)`
    : 'no such field';
  return new InvalidRequest(`Expected files in the fields ${fields.join(', ')} and nothing else.`, [
    { parameter: name.slice(0, 64), detail },
  ]);
}
