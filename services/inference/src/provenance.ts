import type { ServerResponse } from 'node:http';
import { PREPROCESSING } from './image/preprocessing.ts';
import type { Predictor } from './predictor/predictor.ts';

/** What an answer comes from, as entries of headers or of metadata. */
export function provenanceOf({ version: { name, version, manifest }, device }: Predictor): [string, string][] {
  return [
    ['X-Model-Name', name],
    ['X-Model-Version', String(version)],
    ['X-Model-Digest', manifest.digest],
    ['X-Device', device.actual],
    ['X-Preprocessing', PREPROCESSING],
  ];
}

/** Says it in the headers of an answer. For every route that answers with predictions, before it does. */
export function setProvenance(response: ServerResponse, predictor: Predictor): void {
  for (const [name, value] of provenanceOf(predictor)) response.setHeader(name, value);
}
