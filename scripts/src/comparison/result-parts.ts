import { join } from 'node:path';
import { readTextIfThere, writeWholeFile } from '../files.ts';
import { beside, writePage } from '../measurements/written-page.ts';
import type { PhotoResults } from '../photos/photo-results.ts';
import { readPhotoResults } from '../photos/read-photo-results.ts';
import { readTrustResults } from '../trust/read-trust-results.ts';
import type { TrustResults } from '../trust/trust-results.ts';
import { resultsPage } from './render-results.ts';
import { Results } from './results.ts';

/** What of docs/results.md has commands and figures of its own; null where they have not been written. */
export interface ResultParts {
  photos: PhotoResults | null;
  trust: TrustResults | null;
}

export async function readResultParts(docs: string): Promise<ResultParts> {
  return { photos: await readPhotoResults(docs), trust: await readTrustResults(docs) };
}

/** Writes the figures of a part, `<docs>/<file>`, and docs/results.md with them; resolves to the page's path. */
export async function writeResultPart(docs: string, file: string, figures: unknown): Promise<string> {
  const page = join(docs, 'results.md');
  const results = await readTextIfThere(beside(page, '.json'));
  if (results === null) {
    throw new Error(`${page} has no figures of the recipes beside it; npm run compare writes them.`);
  }
  await writeWholeFile(join(docs, file), `${JSON.stringify(figures, null, 2)}\n`);
  await writePage(page, resultsPage(Results.parse(JSON.parse(results)), await readResultParts(docs)));
  return page;
}
