import { IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Examples, loadFashionMnist, slice } from '@atelier/fashion-mnist';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import type { SampleOptions } from '../../benchmark.ts';
import { pngOf } from '../images.ts';
import type { PictureKind } from './variant-names.ts';

const QUICK_IMAGES = 200;

/** More at a time are encoded no sooner. */
const AT_A_TIME = 64;

/** The test split; in a quick trial its first images. */
export async function testImages({ datasetDirectory, datasetCache, isQuick }: SampleOptions): Promise<Examples> {
  const { test } = await loadFashionMnist({ directory: datasetDirectory, cacheDirectory: datasetCache });
  return isQuick ? slice(test, 0, QUICK_IMAGES) : test;
}

/** One of them, [28, 28]. */
export function imageAt({ images }: Examples, index: number): Uint8Array {
  return images.subarray(index * PIXELS_PER_IMAGE, (index + 1) * PIXELS_PER_IMAGE);
}

/** IDX files of images and labels, as the data set has them (`packages/fashion-mnist/src/idx.ts`). */
export function idxFiles({ images, labels }: Examples): { images: Buffer; labels: Buffer } {
  const head = (...words: number[]) => {
    const bytes = Buffer.alloc(4 * words.length);
    words.forEach((word, place) => bytes.writeUInt32BE(word, 4 * place));
    return bytes;
  };
  return {
    images: Buffer.concat([head(0x0803, labels.length, IMAGE_HEIGHT, IMAGE_WIDTH), images]),
    labels: Buffer.concat([head(0x0801, labels.length), labels]),
  };
}

/**
 * A ZIP archive with a folder for each class and each image in it `copies` times. Entries are deflated, as most programs have it;
 * many copies are stored as they are, which is made sooner.
 */
export async function pictureArchive(examples: Examples, kind: PictureKind, copies = 1): Promise<Buffer> {
  const entries: Record<string, Uint8Array> = {};
  for (let start = 0; start < examples.labels.length; start += AT_A_TIME) {
    const labels = [...examples.labels.subarray(start, start + AT_A_TIME)];
    const files = await Promise.all(labels.map((_, row) => ENCODERS[kind](imageAt(examples, start + row))));
    for (const [row, file] of files.entries()) {
      for (let copy = 0; copy < copies; copy++) entries[`${labels[row]}/${copy}-${start + row}.png`] = file;
    }
  }
  return Buffer.from(zipSync(entries, { level: copies === 1 ? 6 : 0 }));
}

const ENCODERS: Record<PictureKind, (image: Uint8Array) => Promise<Buffer>> = {
  grey: pngOf,
  rgb: (image) => {
    const raw = { width: IMAGE_WIDTH, height: IMAGE_HEIGHT, channels: 3 } as const;
    return sharp(
      Uint8Array.from({ length: 3 * image.length }, (_, place) => image[Math.floor(place / 3)] ?? 0),
      { raw },
    )
      .png()
      .toBuffer();
  },
};
