import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@atelier/domain';
import { DEBIAN_FOLDER, type DatasetFile, type Edition, FASHION_MNIST } from '@atelier/fashion-mnist';
import { decompressed } from './decompressed.ts';
import { openIdxSet } from './idx-set.ts';
import type { LabelledSet } from './labelled-set.ts';
import type { SetOpening } from './set-opening.ts';
import { StoredFile } from './stored-file.ts';

export type Split = 'train' | 'test';

export interface DatasetPlaces {
  /** FASHION_MNIST_DIR: looked into alone where it is set. */
  directory: string | undefined;
  /** Where `npm run fetch-dataset` keeps it. */
  cacheDirectory: string;
  /** Default: the folder of the Debian package. */
  systemDirectory?: string;
  /** Default: Fashion-MNIST. */
  edition?: Edition;
}

/**
 * A split of Fashion-MNIST, where it lies already: a server downloads nothing. `dataset-not-found` where it lies nowhere,
 * `dataset-corrupt` where its bytes are others.
 */
export async function openDatasetSet(
  split: Split,
  { directory, cacheDirectory, systemDirectory = DEBIAN_FOLDER, edition = FASHION_MNIST }: DatasetPlaces,
  opening: SetOpening,
): Promise<LabelledSet> {
  const folders = directory === undefined ? [cacheDirectory, systemDirectory] : [directory];
  const [images, labels] = filesOf(edition, split);
  for (const folder of folders) {
    const found = await findIn(folder, [images, labels]);
    if (found === undefined) continue;
    const files = [...found];
    try {
      for (const [index, file] of found.entries()) files[index] = await decompressed(file, opening);
      const [imagesFile, labelsFile] = files as [StoredFile, StoredFile];
      await requireSum(imagesFile, images);
      await requireSum(labelsFile, labels);
      return await openIdxSet(
        { images: imagesFile, labels: labelsFile },
        files,
        'dataset',
        (index) => `${split} ${index}`,
      );
    } catch (error) {
      for (const file of files) await file.close();
      throw error;
    }
  }
  throw new DomainError(
    'dataset-not-found',
    'This server has no copy of Fashion-MNIST, and downloads none. Whoever runs it fetches one with `npm run fetch-dataset`, or ' +
      'names its folder in FASHION_MNIST_DIR; or send the images with the request.',
  );
}

function filesOf(edition: Edition, split: Split): [DatasetFile, DatasetFile] {
  return split === 'test' ? [edition.testImages, edition.testLabels] : [edition.trainImages, edition.trainLabels];
}

/** Plain or as `.gz`; undefined where one is missing. */
async function findIn(folder: string, files: readonly DatasetFile[]): Promise<StoredFile[] | undefined> {
  const found: StoredFile[] = [];
  for (const { name } of files) {
    const handle = (await openIfThere(join(folder, name))) ?? (await openIfThere(join(folder, `${name}.gz`)));
    if (handle === undefined) {
      for (const file of found) await file.close();
      return undefined;
    }
    found.push(new StoredFile({ name, bytes: (await handle.stat()).size, handle }));
  }
  return found;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function requireSum(file: StoredFile, { name, sha256 }: DatasetFile): Promise<void> {
  const found = (await file.hash()).digest('hex');
  if (found === sha256) return;
  throw new DomainError('dataset-corrupt', `${name}: expected SHA-256 ${sha256} after decompression, found ${found}.`);
}
