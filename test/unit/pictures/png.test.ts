import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { greyPixels, greyPngOf, pngDataUri, pngOf, signedPixels } from '@atelier/pictures';
import sharp from 'sharp';

const decoded = async (png: Uint8Array) => {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, data: [...data] };
};

describe('a picture as a PNG file', () => {
  test('comes back from another decoder with every pixel', async () => {
    const pixels = greyPixels(
      Uint8Array.from({ length: 28 * 14 }, (_, place) => (place * 7) % 256),
      28,
    );
    const { width, height, channels, data } = await decoded(pngOf(pixels));
    assert.deepEqual({ width, height, channels }, { width: 28, height: 14, channels: 3 });
    assert.deepEqual(data, [...pixels.data]);
  });

  test('of brightness alone has the same pixels in fewer bytes', async () => {
    const brightness = Uint8Array.from({ length: 28 * 14 }, (_, place) => (place * 7) % 256);
    const [grey, rgb] = [greyPngOf(brightness, 28), pngOf(greyPixels(brightness, 28))];
    assert.deepEqual((await decoded(grey)).data, (await decoded(rgb)).data);
    assert.ok(grey.length < rgb.length);
  });

  test('is told apart by colour where values are above, below and without a number', async () => {
    const { data } = await decoded(pngOf(signedPixels(Float32Array.of(2, 0, -1, NaN), 2, 1)));
    assert.deepEqual(data.slice(0, 3), [0, 84, 148], 'the largest');
    assert.deepEqual(data.slice(3, 6), [247, 247, 247], 'zero');
    assert.deepEqual(data.slice(6, 9), [178, 74, 0], 'the smallest');
    assert.deepEqual(data.slice(9), [200, 200, 200], 'no number');
  });

  test('stands in a page as a data URI', () => {
    const png = pngOf(greyPixels(Uint8Array.of(0, 255), 2));
    assert.equal(pngDataUri(png), `data:image/png;base64,${Buffer.from(png).toString('base64')}`);
  });
});
