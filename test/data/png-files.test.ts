import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Examples, loadFashionMnist } from '@atelier/fashion-mnist';
import { createFilesDecoder, hasModelForm, negate } from '@atelier/inference';
import { greyPng } from '../support/grey-png.ts';

const cacheDirectory = join(import.meta.dirname, '../../data/fashion-mnist');

/** Files that are decoded beside each other. */
const AT_A_TIME = 8;

describe('the images of the data set as PNG files (real data)', () => {
  let train: Examples;
  let tested: Examples;
  before(async () => ({ train, test: tested } = await loadFashionMnist({ cacheDirectory })));

  const pixelsOf = ({ images }: Examples, row: number) =>
    images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE);

  test('each of all 70,000 has the form that is left untouched, and none of their negatives', () => {
    for (const examples of [train, tested]) {
      for (let row = 0; row < examples.count; row++) {
        const picture = { width: 28, height: 28, pixels: pixelsOf(examples, row) };
        assert.equal(hasModelForm(picture), true, `image ${row}`);
        assert.equal(hasModelForm(negate(picture)), false, `the negative of image ${row}`);
      }
    }
  });

  for (const [title, change] of [
    ['each of the 10,000 test images', (image: Uint8Array) => image],
    ['the negative of each', (image: Uint8Array) => image.map((pixel) => 255 - pixel)],
  ] as const) {
    test(`${title} gives exactly the pixels of the data set, so that the accuracy is the same`, async () => {
      const decode = createFilesDecoder(1_000_000);
      let next = 0;
      let different = 0;
      const decodeSome = async () => {
        while (next < tested.count) {
          const image = pixelsOf(tested, next++);
          const { images } = await decode([{ bytes: greyPng(change(image), 28) }]);
          if (Buffer.compare(images, image) !== 0) different++;
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, decodeSome));
      assert.equal(different, 0);
    });
  }
});
