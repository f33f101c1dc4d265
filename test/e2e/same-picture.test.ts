import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { className, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Examples, loadFashionMnist } from '@atelier/fashion-mnist';
import { createLog } from '@atelier/http';
import { type PredictResponse, readConfig, type RunningInference, startInference } from '@atelier/inference';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import sharp from 'sharp';
import { ROOT } from '../support/programs.ts';
import { EXACT_FORMS, filesOf, type LayeredColours } from '../support/same-picture.ts';

const MODELS = join(ROOT, 'models');

/** A garment's edges in the picture: 12 times those of the data set. */
const EDGE = 336;
const SIZE = { width: 480, height: 400 };

/** A shirt, trousers, a coat, a sneaker and a bag. */
const CLASSES = [0, 1, 4, 7, 8];

/** How far a form's probabilities may be from those of the PNG. */
const TOLERANCE = 0.05;

/** The most by which grain darkens a pixel. */
const GRAIN = 24;

describe('the same picture in every form that a file can have (real data)', () => {
  let service: RunningInference;
  let images: Examples;
  before(async () => {
    ({ test: images } = await loadFashionMnist({ cacheDirectory: join(ROOT, 'data', 'fashion-mnist') }));
    const config = readConfig({ MODELS_DIR: MODELS, INFERENCE_PORT: '0' });
    service = await startInference(config, createLog('test', 'silent'));
    await service.settled;
  });
  after(() => service.close());

  test('gets the same label, and probabilities within 0.05', async () => {
    const differences: string[] = [];
    for (const classIndex of CLASSES) {
      const row = images.labels.indexOf(classIndex);
      const garment = images.images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE);
      const { PNG: first, ...others } = await filesOf(await photograph(garment));
      assert.ok(first);
      const expected = await predict(first);
      for (const [form, file] of Object.entries(others)) {
        const { label, probabilities, image } = await predict(file);
        const largest = Math.max(
          ...probabilities.map(({ label: name, probability }) => {
            const same = expected.probabilities.find((entry) => entry.label === name);
            return Math.abs(probability - (same?.probability ?? NaN));
          }),
        );
        assert.deepEqual([image?.width, image?.height], [SIZE.width, SIZE.height], form);
        if (label !== expected.label || !(largest <= TOLERANCE)) {
          differences.push(
            `${className(classIndex)} as ${form}: ${label}, not ${expected.label}; ${largest.toFixed(3)}`,
          );
        }
      }
    }
    assert.deepEqual(differences, []);
  });

  test('gets the same answer to the bit from the forms that keep every pixel', async () => {
    const row = images.labels.indexOf(CLASSES[0] ?? 0);
    const picture = await photograph(images.images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE));
    const files = await filesOf({ ...picture, colours: grained(picture.colours) });
    const { PNG: first } = files;
    assert.ok(first);
    const { probabilities } = await predict(first);
    for (const form of EXACT_FORMS) {
      const file = files[form];
      assert.ok(file, form);
      assert.deepEqual((await predict(file)).probabilities, probabilities, form);
    }
  });

  async function predict(file: Buffer) {
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await fetch(`${service.url}/predict`, { method: 'POST', body: new Uint8Array(file), headers });
    assert.equal(answer.status, 200, await answer.clone().text());
    const [prediction] = ((await answer.json()) as PredictResponse).predictions;
    assert.ok(prediction);
    return prediction;
  }
});

/** An image of the data set as a blue garment on nearly white, a little off the middle. */
async function photograph(garment: Uint8Array): Promise<LayeredColours> {
  const enlarged = async (pixels: Uint8Array) =>
    sharp(pixels, { raw: { width: 28, height: 28, channels: 1 } })
      .resize(EDGE, EDGE, { kernel: 'cubic' })
      .toColourspace('b-w')
      .raw()
      .toBuffer();
  const tones = await enlarged(garment);
  const covered = await enlarged(garment.map((pixel) => (pixel > 8 ? 255 : 0)));
  const { width, height } = SIZE;
  const colours = new Uint8Array(width * height * 3).fill(252);
  const opacity = new Uint8Array(width * height);
  for (let y = 0; y < EDGE; y++) {
    for (let x = 0; x < EDGE; x++) {
      const dark = (tones[y * EDGE + x] ?? 0) / 255;
      const cover = (covered[y * EDGE + x] ?? 0) / 255;
      const place = (y + 40) * width + x + 90;
      opacity[place] = 255 * cover;
      for (const [channel, full] of [20, 30, 80].entries()) {
        const colour = 252 + dark * (full - 252);
        colours[3 * place + channel] = Math.round(252 + cover * (colour - 252));
      }
    }
  }
  return { width, height, colours, opacity };
}

/** With grain as of a film, so that each pixel differs from those beside it. */
function grained(colours: Uint8Array): Uint8Array {
  const random = xoroshiro128plus(2026);
  return colours.map((value) => Math.max(0, value - uniformInt(random, 0, GRAIN)));
}
