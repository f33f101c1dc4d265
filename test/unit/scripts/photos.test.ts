import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLASS_NAMES, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Predictor } from '@atelier/inference';
import sharp from 'sharp';
import { type AnsweredPhoto, shareInWords, tabulate } from '../../../scripts/src/photos/photo-results.ts';
import { photoSet, PHOTOS_PER_CELL } from '../../../scripts/src/photos/photo-set.ts';
import { renderPhoto } from '../../../scripts/src/photos/render-photo.ts';
import { STRATA } from '../../../scripts/src/photos/scene/strata.ts';
import { WAYS } from '../../../scripts/src/photos/ways.ts';

const photos = photoSet(1);

describe('the set of drawn photos', () => {
  test('has the same number of pictures of each class on each ground, under names of their own', () => {
    assert.equal(photos.length, STRATA.length * CLASS_NAMES.length * PHOTOS_PER_CELL);
    assert.equal(new Set(photos.map(({ name }) => name)).size, photos.length);
    for (const { name } of STRATA)
      for (const label of CLASS_NAMES) {
        const cell = photos.filter((photo) => photo.stratum === name && photo.label === label);
        assert.equal(cell.length, PHOTOS_PER_CELL);
        assert.equal(cell.filter(({ isMirrored }) => isMirrored).length, PHOTOS_PER_CELL / 2);
      }
  });

  test('is the same for the same seed and another for another', () => {
    assert.deepEqual(photoSet(1), photos);
    const others = photoSet(2);
    assert.ok(photos.every(({ svg }, index) => svg !== others[index]?.svg));
  });

  test('has both polarities on a ground of middle tone', () => {
    for (const label of CLASS_NAMES) {
      const cell = photos.filter((photo) => photo.stratum === 'mid-tone' && photo.label === label);
      assert.equal(cell.filter(({ isLighter }) => isLighter).length, PHOTOS_PER_CELL / 2);
    }
  });

  test('renders to JPEG files on which something stands out, whatever the class', async () => {
    for (const label of CLASS_NAMES) {
      const photo = photos.find((each) => each.stratum === 'white' && each.label === label);
      assert.ok(photo !== undefined);
      const file = await renderPhoto(photo);
      const { format, width, height } = await sharp(file).metadata();
      assert.equal(format, 'jpeg');
      assert.ok(Math.min(width, height) >= 400, `${width}×${height}`);
      const { channels } = await sharp(file).stats();
      assert.ok(Math.max(...channels.map(({ stdev }) => stdev)) > 15, label);
    }
  });
});

describe('the ways that the drawn photos are classified in', () => {
  /** What a way makes of a dark square on the right of a white picture. */
  async function preparedBy(way: keyof typeof WAYS): Promise<Uint8Array> {
    const square =
      '<svg width="300" height="100"><rect width="300" height="100" fill="white"/><rect x="200" width="100" height="100"/></svg>';
    const asked: Uint8Array[] = [];
    const predictor: Pick<Predictor, 'predict'> = {
      async predict(images) {
        asked.push(images);
        return { logits: new Float32Array(20), probabilities: new Float32Array(20).fill(0.1) };
      },
    };
    const file = await sharp(Buffer.from(square)).png().toBuffer();
    await WAYS[way].answer(file, predictor);
    const [image] = asked;
    assert.ok(image !== undefined);
    return image;
  }

  // In this order: the service's own ways forbid to read drawings from then on.
  test('the naive way squeezes the whole picture, and its second form makes a light one negative', async () => {
    const squeezed = await preparedBy('squeezed');
    assert.equal(squeezed.length, PIXELS_PER_IMAGE);
    assert.deepEqual([squeezed[0], squeezed[27]], [255, 0]);
    const inverted = await preparedBy('inverted');
    assert.deepEqual([inverted[0], inverted[27]], [0, 255]);
  });

  test('as the data set was made: trimmed, so that the square fills the image, and negative', async () => {
    const image = await preparedBy('dataset');
    assert.deepEqual([image[0], image[27], image[14 * 28 + 14]], [255, 255, 255]);
  });
});

describe('the figures of drawn photos', () => {
  const photo = (change: Partial<AnsweredPhoto>): AnsweredPhoto => ({
    ...{ name: 'a', label: 'Bag', stratum: 'white', isLighter: false, isMirrored: false },
    answers: { squeezed: 'Bag', service: 'Bag' },
    ...{ confidence: 1, abstains: false },
    ...change,
  });

  test('count by group, ground, polarity and, for shoes, direction', () => {
    const { groups, strata, polarities, directions } = tabulate([
      photo({}),
      photo({ label: 'Sneaker', isLighter: true, isMirrored: true, answers: { squeezed: 'Bag', service: 'Sneaker' } }),
      photo({ label: 'Coat', stratum: 'wood', answers: { squeezed: 'Bag', service: 'Shirt' } }),
    ]);
    const row = (rows: typeof groups, name: string) => rows.find((each) => each.name === name);
    assert.deepEqual(row(groups, 'all'), { name: 'all', pictures: 3, correct: { squeezed: 1, service: 2 } });
    assert.deepEqual(row(groups, 'shoes')?.correct, { squeezed: 0, service: 1 });
    assert.deepEqual(row(groups, 'clothes')?.correct, { squeezed: 0, service: 0 });
    assert.equal(row(strata, 'wooden floor')?.pictures, 1);
    assert.deepEqual(
      polarities.map(({ pictures }) => pictures),
      [1, 2],
    );
    assert.deepEqual(
      directions.map(({ pictures }) => pictures),
      [0, 1],
    );
  });

  test('say how far confidence and truth are apart, and how good the answers are that one is to believe', () => {
    const wrong = { label: 'Coat', confidence: 0.6 } as const;
    const { belief } = tabulate([
      photo({}),
      photo(wrong),
      photo({ ...wrong, abstains: true }),
      photo({ abstains: true }),
    ]);
    assert.deepEqual(belief, { calibrationError: (0 + 1.2) / 4, abstained: 2, correctOfOthers: 1 });
  });

  test('count a garment in the tone of its ground for neither polarity', () => {
    const { polarities } = tabulate([photo({ isLighter: null })]);
    assert.deepEqual(
      polarities.map(({ pictures }) => pictures),
      [0, 0],
    );
  });

  test('are shares with their 95 % interval', () => {
    assert.equal(shareInWords({ name: 'all', pictures: 40, correct: { service: 30 } }, 'service'), '75 % (60 to 86)');
    assert.equal(shareInWords({ name: 'none', pictures: 0, correct: {} }, 'service'), '');
  });
});
