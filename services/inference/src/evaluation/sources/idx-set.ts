import { PIXELS_PER_IMAGE, DomainError } from '@atelier/domain';
import {
  IDX_HEAD_BYTES,
  idxImagesShape,
  idxLabelsShape,
  type IdxShape,
  requireIdxLabels,
} from '@atelier/fashion-mnist';
import { IMAGES_PER_PART, type LabelledSet, type SetForm, type SetPart } from './labelled-set.ts';
import { digestOf, type StoredFile } from './stored-file.ts';

export interface IdxFiles {
  images: StoredFile;
  labels: StoredFile;
}

/** So many images are read from the disk at a time. */
const IMAGES_PER_READ = 16 * IMAGES_PER_PART;

/**
 * IDX files of images and their labels, decompressed. `original` are they as they came, where that was another form. Rejects
 * with `malformed-idx`; a label that is no class is one as well, and is found when it is read.
 */
export async function openIdxSet(
  files: IdxFiles,
  original: readonly StoredFile[] = [files.images, files.labels],
  form: SetForm = 'idx',
  nameOf: (index: number) => string = (index) => `image ${index}`,
): Promise<LabelledSet> {
  const { images, labels } = files;
  const imagesShape = idxImagesShape(await headOf(images), images.bytes);
  const labelsShape = idxLabelsShape(await headOf(labels), labels.bytes);
  const { count } = imagesShape;
  if (labelsShape.count !== count) {
    throw new DomainError(
      'malformed-idx',
      `${labels.name}: labels: expected ${count}, one for each image of ${images.name}, found ${labelsShape.count}.`,
    );
  }
  return {
    form,
    bytes: original.reduce((sum, file) => sum + file.bytes, 0),
    total: count,
    ignored: 0,
    digest: () => digestOf(original),
    parts: () => partsOf(files, imagesShape, labelsShape, nameOf),
    close: async () => {
      for (const file of new Set([images, labels, ...original])) await file.close();
    },
  };
}

async function headOf(file: StoredFile): Promise<{ bytes: Uint8Array; file: string }> {
  return { bytes: await file.read(0, IDX_HEAD_BYTES), file: file.name };
}

async function* partsOf(
  files: IdxFiles,
  { count, valuesStart: imagesStart }: IdxShape,
  { valuesStart: labelsStart }: IdxShape,
  nameOf: (index: number) => string,
): AsyncGenerator<SetPart, void, undefined> {
  for (let start = 0; start < count; start += IMAGES_PER_READ) {
    const read = Math.min(IMAGES_PER_READ, count - start);
    const pixels = await files.images.read(imagesStart + start * PIXELS_PER_IMAGE, read * PIXELS_PER_IMAGE);
    const labels = await files.labels.read(labelsStart + start, read);
    if (pixels.length < read * PIXELS_PER_IMAGE || labels.length < read) {
      throw new DomainError(
        'malformed-idx',
        `${files.images.name} or ${files.labels.name} became shorter while it was read.`,
      );
    }
    requireIdxLabels(labels, files.labels.name, start);
    for (let first = 0; first < read; first += IMAGES_PER_PART) {
      const last = Math.min(read, first + IMAGES_PER_PART);
      yield {
        kind: 'pixels',
        names: Array.from({ length: last - first }, (_, row) => nameOf(start + first + row)),
        labels: new Uint8Array(labels.subarray(first, last)),
        images: new Uint8Array(pixels.subarray(first * PIXELS_PER_IMAGE, last * PIXELS_PER_IMAGE)),
        skipped: [],
      };
    }
  }
}
