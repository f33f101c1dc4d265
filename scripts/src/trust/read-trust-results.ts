import { join } from 'node:path';
import { readTextIfThere } from '../files.ts';
import { TrustResults } from './trust-results.ts';

/** What `npm run trust` wrote into the folder last; null where it never did. */
export async function readTrustResults(docs: string): Promise<TrustResults | null> {
  const text = await readTextIfThere(join(docs, TRUST_RESULTS));
  return text === null ? null : TrustResults.parse(JSON.parse(text));
}

/** The name of the file. */
export const TRUST_RESULTS = 'trust.json';
