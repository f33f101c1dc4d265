import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DomainError } from '@atelier/domain';
import { InvalidRequest } from '@atelier/http';
import { createFormParser, malformedForm } from './form-parser.ts';
import { tooManyImages } from './image-limits.ts';

/** The field that carries files. */
export const IMAGE_FIELD = 'image';

/** More than any client sends by mistake. */
const MAXIMUM_OTHER_FIELDS = 16;

/** The parser is fed piece by piece, so that it can be stopped between two of them. */
const PIECE_BYTES = 64 * 1024;

/** Of a name, in an answer. */
const MAXIMUM_NAME_LENGTH = 64;

/**
 * The files in the field `image` of a multipart body, in order. Rejects with `malformed-multipart`, `missing-image`,
 * `too-many-images` above `maximumFiles`, or `invalid-request` naming fields that do not belong there; where there are
 * too many parts, at the first of them.
 */
export async function imageFiles(contentType: string, body: Buffer, maximumFiles: number): Promise<Buffer[]> {
  const limits = {
    files: maximumFiles,
    fields: MAXIMUM_OTHER_FIELDS,
    parts: maximumFiles + MAXIMUM_OTHER_FIELDS + 1,
    fieldSize: 1024,
  };
  const parser = createFormParser(contentType, { limits });
  const files: Buffer[] = [];
  const others: string[] = [];
  parser.on('file', (field: string | undefined, stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => (field === IMAGE_FIELD ? files.push(Buffer.concat(chunks)) : others.push(field ?? '')));
    stream.on('error', () => undefined); // the parser's own error says it
  });
  parser.on('field', (field: string | undefined) => others.push(field ?? ''));
  parser.on('filesLimit', () => parser.destroy(tooManyImages(maximumFiles)));
  parser.on('fieldsLimit', () => parser.destroy(strangeFields(others)));
  parser.on('partsLimit', () => parser.destroy(new InvalidRequest('The form has far more parts than images.', [])));
  try {
    await pipeline(Readable.from(piecesOf(body)), parser);
  } catch (error) {
    throw malformedForm(error);
  }
  if (files.length === 0) throw missingImage(others);
  if (others.length > 0) throw strangeFields(others);
  return files;
}

function* piecesOf(body: Buffer): Generator<Buffer> {
  for (let start = 0; start < body.length; start += PIECE_BYTES) yield body.subarray(start, start + PIECE_BYTES);
}

function missingImage(others: string[]): DomainError {
  if (others.includes(IMAGE_FIELD)) {
    return new DomainError('missing-image', `The field "${IMAGE_FIELD}" ${describeFault(IMAGE_FIELD)}.`);
  }
  const came = others.map((field) => (field === '' ? 'a part without a name' : JSON.stringify(shorten(field))));
  return new DomainError(
    'missing-image',
    `Expected files in the field "${IMAGE_FIELD}"; fields that came: ${came.join(', ') || 'none'}.`,
  );
}

function strangeFields(others: string[]): InvalidRequest {
  const faults = others.map((field) => ({ parameter: shorten(field), detail: describeFault(field) }));
  return new InvalidRequest(`Expected files in the field "${IMAGE_FIELD}" and nothing else.`, faults);
}

function describeFault(field: string): string {
  if (field === IMAGE_FIELD) return 'came as text; expected a file (with curl: -F image=@shoe.png, the @ included)';
  return field === '' ? 'a part without a name' : 'no such field';
}

function shorten(name: string): string {
  return name.length > MAXIMUM_NAME_LENGTH ? `${name.slice(0, MAXIMUM_NAME_LENGTH)}…` : name;
}
