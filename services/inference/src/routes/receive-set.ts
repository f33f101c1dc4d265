import type { IncomingMessage } from 'node:http';
import { mediaTypeOf, parseJson, parseRequest, readBody, requireUtf8, unsupportedMediaType } from '@atelier/http';
import { DatasetRequest } from '../contract/evaluate.ts';
import type { BulkTurns } from '../evaluation/bulk-turns.ts';
import type { SetLimits } from '../evaluation/limits.ts';
import { type DatasetPlaces, openDatasetSet } from '../evaluation/sources/dataset-set.ts';
import type { LabelledSet } from '../evaluation/sources/labelled-set.ts';
import { openSetOf } from '../evaluation/sources/open-set.ts';
import { receiveFiles, type UploadParts } from './uploads.ts';

const MAXIMUM_JSON_BYTES = 4_096;
const MAXIMUM_JSON_VALUES = 16;

/** Media types of a body that is the set itself; its content decides which. */
const FILES = [
  'application/zip',
  'application/x-zip-compressed',
  'text/csv',
  'application/gzip',
  'application/octet-stream',
];

export interface ReceiveSetParts extends UploadParts {
  limits: SetLimits;
  turns: BulkTurns;
  places: DatasetPlaces;
}

/**
 * The labelled set that a request carries or names; who asked closes it. Rejects as `receiveFiles`, `openSetOf` and
 * `openDatasetSet` do, and with `unsupported-media-type` for another kind of body, unread.
 */
export async function receiveSet(
  request: IncomingMessage,
  parts: ReceiveSetParts,
  signal: AbortSignal,
): Promise<LabelledSet> {
  const contentType = request.headers['content-type'] ?? '';
  const mediaType = mediaTypeOf(contentType);
  if (mediaType === 'application/json') {
    requireUtf8(contentType);
    const body = parseJson(await readBody(request, MAXIMUM_JSON_BYTES, signal), MAXIMUM_JSON_VALUES);
    return openDatasetSet(parseRequest(DatasetRequest, body).split, parts.places, { ...parts, signal });
  }
  if (mediaType !== 'multipart/form-data' && !FILES.includes(mediaType)) {
    throw unsupportedMediaType(`multipart/form-data, application/json or ${FILES.join(', ')}`, mediaType);
  }
  return openSetOf(await receiveFiles(request, parts, signal), { ...parts, signal });
}
