import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PredictResponse } from '@atelier/inference';
import sharp from 'sharp';
import request from 'supertest';
import { bodyOf, problemOf } from '../support/answers.ts';
import { type InferenceUnderTest, openInference } from '../support/inference-service.ts';
import { garmentImage, pngOf, rectanglePicture } from '../support/pictures.ts';
import { publishTiny } from '../support/published-version.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SIZE = { width: 400, height: 300 };
const GARMENT = { left: 120, top: 40, width: 100, height: 200 };

describe('POST /predict says of a picture', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let service: InferenceUnderTest;
  let photo: Buffer;
  before(async () => {
    folder = await temporaryFolder();
    await publishTiny(folder.path);
    service = await openInference(folder.path);
    photo = await rectanglePicture(SIZE, GARMENT, { background: 250, foreground: 30 }).png().toBuffer();
  });
  after(async () => {
    await service.close();
    await folder.remove();
  });
  const post = (file: Buffer, query = '') =>
    request(service.app).post(`/predict${query}`).set('Content-Type', 'image/png').send(file);
  const imageOf = async (file: Buffer, query = '') => {
    const [prediction] = PredictResponse.parse(await bodyOf(post(file, query))).predictions;
    assert.ok(prediction?.image);
    return prediction.image;
  };

  test('its size, its format, and what was done to it', async () => {
    const { crop, mirrored, ...facts } = await imageOf(photo);
    assert.equal(typeof mirrored, 'boolean');
    assert.deepEqual(facts, { ...SIZE, format: 'PNG', inverted: true, background: 'plain', warnings: [] });
    assert.ok(crop);
    for (const edge of ['left', 'top', 'width', 'height'] as const) {
      assert.ok(Math.abs(crop[edge] - GARMENT[edge]) <= 3, `${edge}: ${crop[edge]}`); // it is looked for in fewer pixels
    }
  });

  test('that one in the data set’s form was left alone', async () => {
    const facts = {
      width: 28,
      height: 28,
      format: 'PNG',
      inverted: false,
      mirrored: false,
      crop: null,
      background: 'none',
      warnings: [],
    };
    assert.deepEqual(await imageOf(await pngOf(garmentImage())), facts);
    const negative = await pngOf(garmentImage().map((pixel) => 255 - pixel));
    assert.deepEqual(await imageOf(negative), { ...facts, inverted: true });
  });

  test('that one of it and its mirror image was taken, so that both get the same answer', async () => {
    const shoe = rectanglePicture(SIZE, GARMENT, { background: 250, foreground: 30 });
    const toe = Buffer.alloc(40 * 40, 200);
    const raw = { width: 40, height: 40, channels: 1 } as const;
    const left = await sharp(await shoe.png().toBuffer())
      .composite([{ input: toe, raw, left: GARMENT.left + 10, top: 100 }])
      .png()
      .toBuffer();
    const right = await sharp(left).flop().png().toBuffer();
    const [one, other] = await Promise.all([left, right].map(async (file) => bodyOf(post(file))));
    const [first, second] = [one, other].map((body) => PredictResponse.parse(body).predictions[0]);
    assert.equal(first?.label, second?.label);
    // Scaling to 28 pixels is not quite the same from both sides.
    assert.ok(Math.abs((first?.probability ?? 0) - (second?.probability ?? 1)) < 0.05);
    assert.notEqual(first?.image?.mirrored, second?.image?.mirrored);
  });

  test('the same beside each of several, in their order', async () => {
    const form = request(service.app).post('/predict').attach('image', photo, 'a.png');
    form.attach('image', await pngOf(garmentImage()), 'b.png');
    const { predictions } = PredictResponse.parse(await bodyOf(form));
    assert.deepEqual(
      predictions.map(({ image }) => image?.width),
      [400, 28],
    );
  });

  test('nothing where images came as pixels', async () => {
    const body = { pixels: [[...garmentImage()]] };
    const answer = await bodyOf(request(service.app).post('/predict?preview=true').send(body));
    assert.ok(PredictResponse.parse(answer).predictions.every(({ image }) => image === undefined));
  });

  test('with ?preview=true what the model was given, as a PNG', async () => {
    assert.equal((await imageOf(photo)).preview, undefined);
    const { preview = '' } = await imageOf(await pngOf(garmentImage()), '?preview=true');
    const png = Buffer.from(preview.replace('data:image/png;base64,', ''), 'base64');
    const { data, info } = await sharp(png).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [28, 28, 1]);
    assert.deepEqual(data, Buffer.from(garmentImage()));
  });

  test('with ?crop=none that all of it was taken', async () => {
    const { crop, inverted } = await imageOf(photo, '?crop=none');
    assert.equal(crop, null);
    assert.equal(inverted, true);
  });

  test('with ?polarity= whether dark became light as it was told', async () => {
    assert.equal((await imageOf(photo, '?polarity=keep')).inverted, false);
    assert.equal((await imageOf(photo, '?polarity=invert')).inverted, true);
    const own = await pngOf(garmentImage());
    assert.equal((await imageOf(own, '?polarity=invert')).inverted, true);
  });

  test('nothing where a parameter has no such value, and names it', async () => {
    for (const [query, parameter] of [
      ['polarity=dark', 'polarity'],
      ['crop=centre', 'crop'],
      ['preview=1', 'preview'],
      ['preview', 'preview'],
    ] as const) {
      const { errors } = await problemOf(post(photo, `?${query}`), 422, 'invalid-request');
      assert.deepEqual(
        errors?.map((error) => error.parameter),
        [parameter],
        query,
      );
    }
  });
});
