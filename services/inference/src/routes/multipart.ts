import { DomainError, messageOf } from '@atelier/domain';
import { InvalidRequest } from '@atelier/http';
import busboy from 'busboy';

/** The field that carries files. */
export const IMAGE_FIELD = 'image';

/** More than any client needs; a form of nothing but names is refused as malformed. */
const MAXIMUM_OTHER_FIELDS = 16;

/**
 * The files in the field `image` of a multipart body, in order. Rejects with `malformed-multipart`, `missing-image`,
 * `too-many-images` above `maximumFiles`, or `invalid-request` naming fields that do not belong there.
 */
export function imageFiles(contentType: string, body: Buffer, maximumFiles: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const malformed = (error: unknown) => {
      reject(new DomainError('malformed-multipart', `The body is not multipart: ${messageOf(error)}.`));
    };
    try {
      const parser = busboy({
        headers: { 'content-type': contentType },
        limits: { files: maximumFiles, fields: MAXIMUM_OTHER_FIELDS, fieldSize: 1024 },
      });
      const files: Buffer[] = [];
      const others: string[] = [];
      parser.on('file', (field, stream) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => (field === IMAGE_FIELD ? files.push(Buffer.concat(chunks)) : others.push(field)));
        stream.on('error', malformed);
      });
      parser.on('field', (field) => others.push(field));
      parser.on('fieldsLimit', () => malformed(`more than ${MAXIMUM_OTHER_FIELDS} fields that are no files`));
      parser.on('filesLimit', () => reject(tooManyImages(maximumFiles)));
      parser.on('error', malformed);
      parser.on('close', () => {
        if (files.length === 0) reject(missingImage(others));
        else if (others.length > 0) reject(strangeFields(others));
        else resolve(files);
      });
      parser.end(body);
    } catch (error) {
      malformed(error); // thrown for a content type without a boundary
    }
  });
}

export function tooManyImages(maximum: number): DomainError {
  return new DomainError('too-many-images', `A request carries at most ${maximum} of these images.`);
}

function missingImage(others: string[]): DomainError {
  const came = others.length === 0 ? 'none' : others.map((field) => JSON.stringify(field)).join(', ');
  return new DomainError('missing-image', `Expected files in the field "${IMAGE_FIELD}"; fields that came: ${came}.`);
}

function strangeFields(others: string[]): InvalidRequest {
  const faults = others.map((field) => ({ parameter: field, detail: 'no such field' }));
  return new InvalidRequest(`Expected files in the field "${IMAGE_FIELD}" and nothing else.`, faults);
}
