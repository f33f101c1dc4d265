import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLASS_COUNT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type ImageFacts, mirrored, type Outputs, predictPictures } from '@atelier/inference';

const FACTS: ImageFacts = {
  ...{ width: 100, height: 100, format: 'PNG', inverted: true, mirrored: false, crop: null, background: 'plain' },
  warnings: [],
};
const IN_DATA_SET_FORM: ImageFacts = { ...FACTS, width: 28, height: 28, background: 'none' };

/** An image that is light in its left or in its right half alone. */
function half(side: 'left' | 'right'): Uint8Array {
  return Uint8Array.from({ length: PIXELS_PER_IMAGE }, (_, pixel) =>
    pixel % IMAGE_WIDTH < IMAGE_WIDTH / 2 === (side === 'left') ? 200 : 0,
  );
}

/** Is sure of what is light on the left, class 7, and guesses class 8 about the rest. Keeps what it was asked. */
function leftHanded() {
  const asked: Uint8Array[] = [];
  const predict = async (images: Uint8Array): Promise<Outputs> => {
    asked.push(images);
    const count = images.length / PIXELS_PER_IMAGE;
    const probabilities = new Float32Array(count * CLASS_COUNT).fill(0.01);
    for (let row = 0; row < count; row++) {
      const isLeft = (images[row * PIXELS_PER_IMAGE] ?? 0) > 0;
      probabilities[row * CLASS_COUNT + (isLeft ? 7 : 8)] = isLeft ? 0.9 : 0.4;
    }
    return {
      logits: probabilities.map(Math.log),
      probabilities,
      outlierScores: Float32Array.from({ length: count }, (_, row) => row),
    };
  };
  return { predict, asked };
}

function joined(...images: Uint8Array[]): Uint8Array {
  return Uint8Array.from(images.flatMap((image) => [...image]));
}

describe('the choice between a picture and its mirror image', () => {
  test('takes the one that the model is surer of, and says which', async () => {
    const predictor = leftHanded();
    const images = joined(half('right'), half('left'));
    const { outputs, facts, images: chosen } = await predictPictures(predictor, { images, facts: [FACTS, FACTS] });
    assert.deepEqual(facts, [{ ...FACTS, mirrored: true }, FACTS]);
    assert.equal(outputs.probabilities[7], Math.fround(0.9));
    assert.equal(outputs.probabilities[CLASS_COUNT + 7], Math.fround(0.9));
    assert.equal(outputs.logits.length, 2 * CLASS_COUNT);
    assert.deepEqual(outputs.outlierScores, Float32Array.of(2, 1));
    assert.deepEqual(chosen, joined(half('left'), half('left')), 'the images are those of the answers');
  });

  test("asks once about a picture in the data set's form, and leaves it as it is", async () => {
    const predictor = leftHanded();
    const images = joined(half('right'), half('right'), half('right'));
    const carried = { images, facts: [IN_DATA_SET_FORM, FACTS, IN_DATA_SET_FORM] };
    const { outputs, facts } = await predictPictures(predictor, carried);
    assert.deepEqual(
      predictor.asked.map(({ length }) => length / PIXELS_PER_IMAGE),
      [4],
    );
    assert.deepEqual(
      facts?.map((fact) => fact.mirrored),
      [false, true, false],
    );
    assert.equal(outputs.probabilities[8], Math.fround(0.4));
    assert.equal(outputs.probabilities.length, 3 * CLASS_COUNT);
  });

  test('hands images that came as pixels on as they are', async () => {
    const predictor = leftHanded();
    const images = half('right');
    const answered = await predictPictures(predictor, { images });
    assert.equal(predictor.asked[0], images);
    assert.equal(answered.facts, undefined);
  });

  test('leaves images as they are, also in a Buffer', async () => {
    const images = Buffer.concat([half('right'), half('left')]);
    const before = Uint8Array.from(images);
    await predictPictures(leftHanded(), { images, facts: [FACTS, FACTS] });
    assert.deepEqual(Uint8Array.from(images), before);
  });

  test('mirrors each row of each image', () => {
    const images = Uint8Array.from({ length: 2 * PIXELS_PER_IMAGE }, (_, pixel) => pixel % 251);
    const mirrors = mirrored(images);
    for (const pixel of [0, 1, 27, 28, 783, 784, 1567]) {
      const inRow = pixel % IMAGE_WIDTH;
      assert.equal(mirrors[pixel], images[pixel - inRow + IMAGE_WIDTH - 1 - inRow]);
    }
    assert.deepEqual(mirrored(mirrors), images);
  });
});
