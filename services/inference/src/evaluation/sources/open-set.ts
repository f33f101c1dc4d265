import { open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DomainError, messageOf } from '@atelier/domain';
import { FASHION_MNIST } from '@atelier/fashion-mnist';
import { openCsvSet } from './csv-set.ts';
import { decompressed } from './decompressed.ts';
import { openFolderSet } from './folder-set.ts';
import { openIdxSet } from './idx-set.ts';
import type { LabelledSet } from './labelled-set.ts';
import type { SetOpening } from './set-opening.ts';
import { StoredFile } from './stored-file.ts';
import { openZipSet } from './zip/zip-set.ts';

type Content = 'zip' | 'images' | 'labels' | 'csv';

/**
 * The set that files are, one archive or CSV or two IDX files, by their content and not by their names; plain or gzip. The
 * files are the set's from now on: it closes them, also where this rejects. `malformed-archive`, `archive-too-large`,
 * `malformed-labels`, `malformed-idx`, `malformed-csv`, `malformed-body`, `missing-image` where something is missing, or
 * `invalid-request` where two files do not belong together.
 */
export async function openSetOf(files: readonly StoredFile[], opening: SetOpening): Promise<LabelledSet> {
  const plain: StoredFile[] = [];
  try {
    for (const file of files) plain.push(await decompressed(file, opening));
    const contents = await Promise.all(plain.map(contentOf));
    const [only, ...others] = plain;
    if (only !== undefined && others.length === 0) {
      if (contents[0] === 'zip') return await openZipSet(only, opening);
      if (contents[0] === 'csv') return await openCsvSet(only, opening, files[0]);
    }
    const [images, labels] = [plain[contents.indexOf('images')], plain[contents.indexOf('labels')]];
    if (plain.length !== 2 || images === undefined || labels === undefined) throw unfitting(files, contents);
    const original = [files[plain.indexOf(images)], files[plain.indexOf(labels)]] as StoredFile[];
    return await openIdxSet({ images, labels }, original);
  } catch (error) {
    for (const file of new Set([...plain, ...files])) await file.close();
    throw error;
  }
}

/** The set at a path of this machine: an archive, a CSV file, or a folder of pictures or with the IDX files of the data set. */
export async function openSetAt(path: string, opening: SetOpening): Promise<LabelledSet> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new DomainError('dataset-not-found', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  if (!found.isDirectory()) return openSetOf([await openFile(path)], opening);
  const idx = await idxFilesIn(path);
  return idx === undefined ? openFolderSet(path, opening) : openSetOf(idx, opening);
}

async function openFile(path: string): Promise<StoredFile> {
  const handle = await open(path);
  return new StoredFile({ name: basename(path), bytes: (await handle.stat()).size, handle });
}

/** The test split where it is there, else the training split. */
async function idxFilesIn(folder: string): Promise<StoredFile[] | undefined> {
  const { testImages, testLabels, trainImages, trainLabels } = FASHION_MNIST;
  for (const pair of [
    [testImages, testLabels],
    [trainImages, trainLabels],
  ]) {
    const paths = pair.flatMap(({ name }) => [join(folder, name), join(folder, `${name}.gz`)]);
    const files = await Promise.all(paths.map((path) => openFile(path).catch(() => undefined)));
    const chosen = [files[0] ?? files[1], files[2] ?? files[3]];
    const [images, labels] = chosen;
    const isWhole = images !== undefined && labels !== undefined;
    for (const file of files) if (file !== undefined && (!isWhole || !chosen.includes(file))) await file.close();
    if (isWhole) return [images, labels];
  }
  return undefined;
}

async function contentOf(file: StoredFile): Promise<Content> {
  const start = await file.read(0, 4);
  const word = start.length === 4 ? start.readUInt32BE(0) : 0;
  if ([0x504b0304, 0x504b0506].includes(word)) return 'zip';
  if (word === 0x00000803) return 'images';
  return word === 0x00000801 ? 'labels' : 'csv';
}

const IN_WORDS: Readonly<Record<Content, string>> = {
  zip: 'a ZIP archive',
  images: 'IDX images',
  labels: 'IDX labels',
  csv: 'none of these, or CSV',
};

/** Where there is one file of a pair, or none at all, something is missing; two that are no pair are too many. */
function unfitting(files: readonly StoredFile[], contents: readonly Content[]): DomainError {
  const came = files.map(({ name }, index) => `${name}: ${IN_WORDS[contents[index] ?? 'csv']}`).join('; ');
  return new DomainError(
    files.length > 1 ? 'invalid-request' : 'missing-image',
    `Expected one ZIP archive, one CSV file, or IDX images and IDX labels; came ${came || 'nothing'}.`,
  );
}
