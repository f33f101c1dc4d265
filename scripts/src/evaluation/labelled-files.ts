import { existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DomainError } from '@atelier/domain';
import { type LabelledSet, openSetAt, openSetOf, type SetOpening, StoredFile } from '@atelier/inference';

/**
 * The labelled images at a path: a folder, a ZIP archive, a CSV file, or IDX images. The labels of those are the file
 * `labels`, or lie beside them under the name that the data set has. `dataset-not-found` where there is nothing, and what
 * `openSetOf` rejects with.
 */
export async function openLabelledSet(
  path: string,
  labels: string | undefined,
  opening: SetOpening,
): Promise<LabelledSet> {
  const beside = labels ?? labelsBeside(path);
  if (beside === undefined) return openSetAt(path, opening);
  return openSetOf([await openStored(path), await openStored(beside)], opening);
}

/** Of `t10k-images-idx3-ubyte.gz` the file `t10k-labels-idx1-ubyte`, packed or not, where there is one. */
function labelsBeside(path: string): string | undefined {
  const name = basename(path).replace(/\.gz$/, '');
  const labels = name.replace(/images([-.])idx3(?=[-.]ubyte$)/, 'labels$1idx1');
  if (labels === name) return undefined;
  return [labels, `${labels}.gz`].map((each) => join(dirname(path), each)).find((each) => existsSync(each));
}

async function openStored(path: string): Promise<StoredFile> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new DomainError('dataset-not-found', `Expected a file of IDX form; ${path} is none.`);
  return new StoredFile({ name: basename(path), bytes: found.size, handle: await open(path) });
}
