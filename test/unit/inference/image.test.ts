import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createFilesDecoder, createImageDecoder, imageFormat } from '@atelier/inference';
import fc from 'fast-check';
import sharp from 'sharp';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { garmentImage, pngOf, pngVariants, rectanglePicture } from '../../support/pictures.ts';

const decodeImage = createImageDecoder(1_000_000);
const decode = async (file: Buffer) => (await decodeImage(file)).image;

const grey = (value: number) => ({ r: value, g: value, b: value });

/** The bounding box of what is lighter than a quarter of white in an image [28, 28]. */
function boxOf(image: Uint8Array) {
  const places = [...image.keys()].filter((place) => (image[place] ?? 0) > 63);
  const [xs, ys] = [places.map((place) => place % 28), places.map((place) => Math.floor(place / 28))];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

describe('image files', () => {
  test('a PNG of an image in the data set’s form gives exactly its pixels, whatever its colour type and depth', async () => {
    const image = garmentImage();
    for (const { name, depth, colourType, file } of await pngVariants(image)) {
      assert.deepEqual([file[24], file[25]], [depth, colourType], `${name} is stored as it says`);
      assert.deepEqual(Buffer.from(await decode(file)), Buffer.from(image), name);
    }
  });

  test('any image with a black border passes through untouched, and so does its negative', async () => {
    const framed = fc
      .uint8Array({ minLength: 784, maxLength: 784 })
      .map((image) =>
        image.map((pixel, place) => (place % 28 === 0 || place % 28 === 27 || place < 28 || place >= 756 ? 0 : pixel)),
      );
    await fc.assert(
      fc.asyncProperty(framed, async (image) => {
        assert.deepEqual(Buffer.from(await decode(await pngOf(image))), Buffer.from(image));
        const negative = image.map((pixel) => 255 - pixel);
        assert.deepEqual(Buffer.from(await decode(await pngOf(negative))), Buffer.from(image));
      }),
      { numRuns: 30 },
    );
  });

  test('a dark garment on white and a light one on black become the same light garment on black', async () => {
    const place = { left: 40, top: 60, width: 60, height: 120 };
    const size = { width: 200, height: 300 };
    const dark = await rectanglePicture(size, place, { background: 253, foreground: 20 }).png().toBuffer();
    const light = await rectanglePicture(size, place, { background: 2, foreground: 235 }).png().toBuffer();
    const fromDark = await decode(dark);
    const fromLight = await decode(light);
    assert.ok(fromDark.every((pixel, place) => Math.abs(pixel - (fromLight[place] ?? NaN)) <= 2));
    assert.equal(fromDark[0], 0);
    assert.equal(fromDark[14 * 28 + 14], 235);
  });

  test('the garment’s longest edge becomes 28 pixels, its ratio is kept, and it is centred', async () => {
    const picture = rectanglePicture(
      { width: 400, height: 300 },
      { left: 10, top: 200, width: 160, height: 80 },
      { background: 255, foreground: 0 },
    );
    const box = boxOf(await decode(await picture.png().toBuffer()));
    assert.deepEqual(box, { left: 0, right: 27, top: 7, bottom: 20 });
  });

  test('transparency counts as white, so a dark garment on nothing is seen', async () => {
    const garment = { create: { width: 30, height: 60, channels: 4, background: '#000000ff' } } as const;
    const file = await sharp({ create: { width: 90, height: 90, channels: 4, background: '#00000000' } })
      .composite([{ input: garment }])
      .png()
      .toBuffer();
    const image = await decode(file);
    assert.equal(image[14 * 28 + 14], 255);
    assert.equal(image[0], 0);
  });

  test('the EXIF orientation is followed', async () => {
    const upright = await rectanglePicture(
      { width: 60, height: 90 },
      { left: 20, top: 10, width: 20, height: 60 },
      { background: 255, foreground: 0 },
    )
      .png()
      .toBuffer();
    const turned = await sharp(upright).rotate(-90).withMetadata({ orientation: 6 }).png().toBuffer();
    assert.deepEqual(Buffer.from(await decode(turned)), Buffer.from(await decode(upright)));
  });

  test('every format that is accepted is decoded', async () => {
    const picture = rectanglePicture(
      { width: 100, height: 100 },
      { left: 30, top: 10, width: 40, height: 80 },
      { background: 255, foreground: 30 },
    );
    const files = {
      JPEG: await picture.jpeg().toBuffer(),
      PNG: await picture.png().toBuffer(),
      WebP: await picture.webp().toBuffer(),
      GIF: await picture.gif().toBuffer(),
      TIFF: await picture.tiff().toBuffer(),
      AVIF: await picture.avif({ effort: 0 }).toBuffer(),
    };
    for (const [format, file] of Object.entries(files)) {
      assert.equal(imageFormat(file), format);
      // Lossy formats ring around edges: a pixel more or less is theirs.
      const { left, right, top, bottom } = boxOf(await decode(file));
      assert.ok(Math.abs(left - 7) <= 1 && Math.abs(right - 20) <= 1, `${format}: ${left} to ${right}`);
      assert.deepEqual([top, bottom], [0, 27], format);
    }
  });

  test('the smallest, the thinnest and blank pictures are images too', async () => {
    for (const [width, height] of [
      [1, 1],
      [2, 2],
      [1, 5000],
      [5000, 1],
      [28, 28],
      [300, 200],
    ] as const) {
      const blank = sharp({ create: { width, height, channels: 3, background: 'white' } });
      assert.equal((await decode(await blank.png().toBuffer())).length, 784, `${width}×${height}`);
    }
    const thin = rectanglePicture(
      { width: 3, height: 5000 },
      { left: 1, top: 100, width: 1, height: 4000 },
      { background: 255, foreground: 0 },
    );
    assert.equal((await decode(await thin.png().toBuffer())).length, 784);
  });

  test('refuses what is no image of an accepted kind, by content and not by name', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><rect width="9" height="9"/></svg>';
    for (const content of ['not a picture', svg, '%PDF-1.7', 'II', '\0']) {
      await assert.rejects(decode(Buffer.from(content)), { code: 'unsupported-media-type' }, content);
    }
  });

  test('the library cannot be led to a file of ours or to a format that is not accepted', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"></svg>';
    await assert.rejects(sharp(Buffer.from(svg)).metadata());
    const folder = await temporaryFolder();
    const path = join(folder.path, 'picture.png');
    await writeFile(path, await pngOf(garmentImage()));
    await assert.rejects(sharp(path).metadata());
    assert.equal((await decode(await readFile(path))).length, 784);
    await folder.remove();
  });

  test('refuses a damaged file without a word of the library that read it', async () => {
    const whole = await rectanglePicture(
      { width: 300, height: 300 },
      { left: 30, top: 10, width: 40, height: 80 },
      { background: 255, foreground: 30 },
    )
      .png()
      .toBuffer();
    const junkBehindSignature = Buffer.concat([whole.subarray(0, 8), Buffer.from('junk')]);
    for (const file of [whole.subarray(0, whole.length / 2), junkBehindSignature]) {
      await assert.rejects(decode(file), {
        code: 'undecodable-image',
        message: 'The image is damaged or incomplete.',
      });
    }
  });

  test('refuses more pixels than the limit, and takes as many as the limit', async () => {
    const exact = createImageDecoder(200 * 100);
    const blank = (width: number) =>
      sharp({ create: { width, height: 100, channels: 3, background: 'white' } })
        .png()
        .toBuffer();
    assert.equal((await exact(await blank(200))).image.length, 784);
    await assert.rejects(exact(await blank(201)), {
      code: 'image-too-large',
      message: 'The image counts 20100 pixels; at most 20000 are taken.',
    });
  });

  test('takes half as many pixels of a picture that can only be decoded as a whole, and a quarter of an AVIF', async () => {
    const exact = createImageDecoder(200 * 100);
    const blank = (width: number) => sharp({ create: { width, height: 100, channels: 3, background: 'white' } });
    const files: Record<string, (width: number) => Promise<Buffer>> = {
      'progressive JPEG': (width) => blank(width).jpeg({ progressive: true }).toBuffer(),
      'interlaced PNG': (width) => blank(width).png({ progressive: true }).toBuffer(),
      WebP: (width) => blank(width).webp().toBuffer(),
      GIF: (width) => blank(width).gif().toBuffer(),
      AVIF: (width) => blank(width).avif({ effort: 0 }).toBuffer(),
    };
    for (const [kind, file] of Object.entries(files)) {
      const most = kind === 'AVIF' ? 50 : 100;
      assert.equal((await exact(await file(most))).image.length, 784, kind);
      await assert.rejects(exact(await file(most + 1)), { code: 'image-too-large' }, kind);
    }
  });

  test('takes fewer pixels where each has more than four bytes', async () => {
    const exact = createImageDecoder(200 * 100);
    const blank = (width: number) =>
      sharp({ create: { width, height: 100, channels: 4, background: '#ff000080' } }).toColourspace('rgb16');
    const files: Record<string, (width: number) => Promise<Buffer>> = {
      PNG: (width) => blank(width).png().toBuffer(),
      TIFF: (width) => blank(width).tiff({ compression: 'lzw' }).toBuffer(),
    };
    for (const [kind, file] of Object.entries(files)) {
      assert.equal((await exact(await file(100))).image.length, 784, kind);
      await assert.rejects(exact(await file(101)), { code: 'image-too-large' }, kind);
    }
  });

  test('holds the pixels of all files of a request to the limit', async () => {
    const picture = await pngOf(garmentImage());
    const file = (count: number) => ({ bytes: picture, place: `File ${count}` });
    const exact = createFilesDecoder(3 * 784);
    assert.equal((await exact([file(1), file(2), file(3)])).images.length, 3 * 784);
    await assert.rejects(exact([file(1), file(2), file(3), file(4)]), {
      code: 'image-too-large',
      message: 'File 4: Up to this image those of the request count 3136 pixels; at most 2352 are taken.',
    });
  });

  test('looks at the first frame or page only, however many follow and whatever they hold', async () => {
    const frame = (shade: number) =>
      ({ create: { width: 40, height: 40, channels: 3, background: grey(shade) } }) as const;
    const first = sharp(frame(20)).extend({ top: 9, bottom: 9, left: 9, right: 9, background: 'white' });
    const others = [sharp(frame(90)), sharp(frame(200))].map((other) => other.resize(58, 58));
    const pages = await Promise.all([first, ...others].map((page) => page.png().toBuffer()));
    const alone = await decode(await sharp(pages[0]).png().toBuffer());
    for (const format of ['gif', 'tiff', 'webp'] as const) {
      const joined = sharp(pages, { join: { animated: true } });
      const file = await joined.toFormat(format, format === 'webp' ? { lossless: true } : {}).toBuffer();
      assert.equal((await sharp(file).metadata()).pages, 3, `${format} has three pages`);
      const difference = (await decode(file)).map((pixel, place) => Math.abs(pixel - (alone[place] ?? NaN)));
      assert.ok(Math.max(...difference) <= 8, format);
    }
  });

  test('goes round between requests: one picture does not wait for the many of another', async () => {
    const bytes = await sharp({ create: { width: 400, height: 400, channels: 3, background: 'white' } })
      .jpeg()
      .toBuffer();
    const decodeFiles = createFilesDecoder(40_000_000);
    const finished: number[] = [];
    const decodeMany = async (count: number) => {
      await decodeFiles(Array.from({ length: count }, () => ({ bytes })));
      finished.push(count);
    };
    await Promise.all([decodeMany(32), decodeMany(31), decodeMany(30), decodeMany(1)]);
    assert.equal(finished[0], 1);
  });

  test('stops when whoever asked has left, between two files or in the queue', async () => {
    const decodeFiles = createFilesDecoder(1_000_000);
    const gone = new AbortController();
    const reason = new Error('gone');
    const files = Array(3).fill({ bytes: await pngOf(garmentImage()) }) as { bytes: Buffer }[];
    const inWork = decodeFiles(files, gone.signal);
    gone.abort(reason);
    await assert.rejects(inWork, reason);
    assert.equal((await decodeFiles(files)).images.length, 3 * 784, 'and the next is served');
  });

  test('random bytes behind each signature are refused, never a crash', async () => {
    const signatures = [
      'ffd8ff',
      '89504e470d0a1a0a',
      '474946383961',
      '49492a00',
      '4d4d002a',
      '000000206674797061766966',
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...signatures), fc.uint8Array({ maxLength: 200 }), async (signature, tail) => {
        await assert.rejects(decode(Buffer.concat([Buffer.from(signature, 'hex'), tail])), {
          code: 'undecodable-image',
        });
      }),
      { numRuns: 100 },
    );
  });
});
