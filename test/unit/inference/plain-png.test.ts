import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { plainPng } from '@atelier/inference';
import fc from 'fast-check';
import sharp from 'sharp';
import { garmentImage, pngOf, pngVariants } from '../../support/pictures.ts';

const drawn = (width: number, height: number, pixels: Uint8Array, channels: 1 | 3 = 1) =>
  sharp(pixels, { raw: { width, height, channels } }).toColourspace(channels === 1 ? 'b-w' : 'srgb');

/** A file with a chunk more, behind its header. */
function withChunk(file: Buffer, type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([file.subarray(0, 33), length, body, sum, file.subarray(33)]);
}

describe('the reader of the plainest PNG files', () => {
  test('gives every pixel of any picture in grey or in colours, whatever filters its rows have', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 64 }),
        fc.constantFrom<1 | 3>(1, 3),
        fc.boolean(),
        fc.infiniteStream(fc.nat(255)),
        async (width, height, channels, adaptiveFiltering, values) => {
          const pixels = Uint8Array.from(values.take(width * height * channels));
          const file = await drawn(width, height, pixels, channels).png({ adaptiveFiltering }).toBuffer();
          assert.deepEqual(plainPng(file), { width, height, channels, pixels });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('leaves all other kinds to the decoder of all formats', async () => {
    for (const { name, file } of await pngVariants(garmentImage())) {
      assert.equal(plainPng(file) !== undefined, ['grey', 'RGB'].includes(name), name);
    }
    assert.equal(plainPng(await drawn(65, 1, new Uint8Array(65)).png().toBuffer()), undefined);
    assert.equal(plainPng(Buffer.from('no picture')), undefined);
  });

  test('leaves files to it that say something of their colours or of how they lie', async () => {
    const file = await pngOf(garmentImage());
    for (const type of ['gAMA', 'tRNS', 'iCCP', 'eXIf', 'sRGB', 'zTXt', 'iTXt']) {
      assert.equal(plainPng(withChunk(file, type, Buffer.alloc(4))), undefined, type);
    }
    assert.equal(plainPng(withChunk(file, 'tEXt', Buffer.from('Raw profile type exif\0'))), undefined);
    assert.ok(plainPng(withChunk(file, 'tEXt', Buffer.from('Software\0something'))));
  });

  test('leaves files to it that have a fault: cut off anywhere, or with any byte changed', async () => {
    const image = garmentImage();
    const file = await pngOf(image);
    for (let length = 0; length < file.length; length += 7) assert.equal(plainPng(file.subarray(0, length)), undefined);
    for (let place = 0; place < file.length; place += 3) {
      const changed = Buffer.from(file);
      changed[place] = (changed[place] ?? 0) ^ 0x20;
      const read = plainPng(changed);
      assert.ok(read === undefined || Buffer.from(read.pixels).equals(image), `byte ${place}`);
    }
  });
});
