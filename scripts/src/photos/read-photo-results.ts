import { join } from 'node:path';
import { readTextIfThere } from '../files.ts';
import { PhotoResults } from './photo-results.ts';

/** What `npm run photos` wrote into the folder last; null where it never did. */
export async function readPhotoResults(docs: string): Promise<PhotoResults | null> {
  const text = await readTextIfThere(join(docs, PHOTO_RESULTS));
  return text === null ? null : PhotoResults.parse(JSON.parse(text));
}

/** The name of the file. */
export const PHOTO_RESULTS = 'photos.json';
