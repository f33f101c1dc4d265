import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  borderPlaces,
  boxBlur,
  centre,
  componentsOf,
  cropped,
  decidePolarity,
  factsOf,
  fillHoles,
  fitPlane,
  flatten,
  greyOf,
  hasModelForm,
  mainParts,
  negate,
  onBlack,
  opened,
  otsuThreshold,
  pngHeader,
  stretched,
} from '@atelier/inference';
import fc from 'fast-check';
import sharp from 'sharp';
import { rowsOf, textOf } from '../../support/drawn-picture.ts';
import { garmentImage, pngOf, pngVariants } from '../../support/pictures.ts';

describe('a picture on white', () => {
  const layered = (channels: number, pixels: number[]) => ({
    width: pixels.length / channels,
    height: 1,
    channels,
    pixels: Uint8Array.from(pixels),
  });

  test('is the picture itself where it has three channels, and where all of it is opaque', () => {
    const { picture, opacity } = flatten(layered(3, [1, 2, 3, 4, 5, 6]));
    assert.deepEqual([...picture.pixels], [1, 2, 3, 4, 5, 6]);
    assert.equal(opacity, null);
    const opaque = flatten(layered(4, [1, 2, 3, 255, 4, 5, 6, 255]));
    assert.deepEqual([...opaque.picture.pixels], [1, 2, 3, 4, 5, 6]);
    assert.equal(opaque.opacity, null);
    assert.deepEqual([...flatten(layered(1, [7, 8])).picture.pixels], [7, 7, 7, 8, 8, 8]);
  });

  test('shows white where it is transparent, a mixture in between, and tells how opaque it was', () => {
    const { picture, opacity } = flatten(layered(2, [0, 0, 0, 255, 0, 51]));
    assert.deepEqual([...picture.pixels], [255, 255, 255, 0, 0, 0, 204, 204, 204]);
    assert.deepEqual([...(opacity ?? [])], [0, 255, 51]);
  });
});

describe('grey', () => {
  test('is the luma of a colour, and a grey pixel’s own value', () => {
    const pixels = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255]);
    assert.deepEqual([...greyOf({ width: 3, height: 1, pixels }).pixels], [76, 150, 29]);
    const greys = Uint8Array.from({ length: 256 * 3 }, (_, place) => Math.floor(place / 3));
    assert.deepEqual([...greyOf({ width: 256, height: 1, pixels: greys }).pixels], [...Array(256).keys()]);
  });
});

describe('the data set’s form', () => {
  const bordered = (border: number, width = 28) => {
    const pixels = new Uint8Array(width * 28).fill(128);
    const picture = { width, height: 28, pixels };
    for (const place of borderPlaces(picture, 1)) pixels[place] = border;
    return picture;
  };

  test('is 28×28 with a dark border', () => {
    assert.equal(hasModelForm(bordered(0)), true);
    assert.equal(hasModelForm(bordered(63)), true);
    assert.equal(hasModelForm(bordered(64)), false);
    assert.equal(hasModelForm(bordered(255)), false);
    assert.equal(hasModelForm(bordered(0, 29)), false);
  });

  test('the negative of a negative is the picture', () => {
    const original = { width: 2, height: 2, pixels: Uint8Array.from([0, 1, 100, 255]) };
    assert.deepEqual(negate(original).pixels, Uint8Array.from([255, 254, 155, 0]));
    assert.deepEqual(negate(negate(original)), original);
  });
});

describe('the border', () => {
  test('is each place within its thickness, once, row by row', () => {
    const places = (width: number, height: number, thickness: number) => [
      ...borderPlaces({ width, height }, thickness),
    ];
    assert.deepEqual(places(3, 3, 1), [0, 1, 2, 3, 5, 6, 7, 8]);
    assert.deepEqual(places(5, 4, 1), [0, 1, 2, 3, 4, 5, 9, 10, 14, 15, 16, 17, 18, 19]);
    assert.deepEqual(places(1, 1, 1), [0]);
    assert.deepEqual(places(2, 3, 1), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(places(3, 2, 5), [0, 1, 2, 3, 4, 5]);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(7),
        (width, height, near) => {
          const expected = [...Array(width * height).keys()].filter((place) => {
            const [x, y] = [place % width, Math.floor(place / width)];
            return Math.min(x, y, width - 1 - x, height - 1 - y) < near;
          });
          assert.deepEqual(places(width, height, near), expected);
        },
      ),
    );
  });
});

describe('a plane', () => {
  const width = 40;
  const places = Int32Array.from({ length: 40 * 30 }, (_, place) => place);
  const sloped = Float32Array.from(places, (place) => 100 + 2 * (place % width) - 3 * Math.floor(place / width));
  const close = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 0.05, `${value}`);

  test('runs through values that change evenly', () => {
    const { level, perColumn, perRow } = fitPlane(sloped, width, places);
    close(level, 100);
    close(perColumn, 2);
    close(perRow, -3);
  });

  test('passes over a third of them that are something else', () => {
    const even = Float32Array.from(places, (place) => 100 + 0.2 * (place % width));
    const covered = even.map((value, place) => (place < places.length / 3 ? 20 : value));
    const { level, perColumn, perRow } = fitPlane(covered, width, places);
    close(level, 100);
    close(perColumn, 0.2);
    close(perRow, 0);
  });

  test('is level where the places lie on a line', () => {
    const row = Int32Array.from({ length: width }, (_, x) => x);
    assert.deepEqual(fitPlane(new Float32Array(width).fill(7), width, row), { level: 7, perColumn: 0, perRow: 0 });
    assert.deepEqual(fitPlane(Float32Array.of(9), 1, Int32Array.of(0)), { level: 9, perColumn: 0, perRow: 0 });
  });
});

describe('Otsu’s threshold', () => {
  test('parts two kinds of values, and is the lower where there are only two', () => {
    const threshold = otsuThreshold(Uint8Array.from([10, 12, 11, 10, 200, 210, 190, 205]));
    assert.ok(threshold >= 12 && threshold < 190, `${threshold}`);
    assert.equal(otsuThreshold(Uint8Array.from([3, 3, 3, 9])), 3);
  });

  test('is 0 where there is one value', () => {
    assert.equal(otsuThreshold(new Uint8Array(9).fill(77)), 0);
  });
});

describe('a blur', () => {
  test('is the mean over a square, at the edges over what there is of it', () => {
    const dot = rowsOf('.....', '.....', '..9..', '.....', '.....');
    assert.deepEqual(textOf({ width: 5, pixels: boxBlur(dot, 1) }), ['.....', '.###.', '.###.', '.###.', '.....']);
    assert.deepEqual([...boxBlur(rowsOf('4..'), 1)], [2, 1, 0]);
    assert.deepEqual([...boxBlur(rowsOf('7'), 2)], [7]);
  });
});

describe('the parts of a mask', () => {
  const mask = rowsOf('##...', '.#..#', '...#.', '.....', '....#');

  test('are what touches, also over corners, with their boxes and what of them lies at the edge', () => {
    const { found, labels } = componentsOf(mask);
    assert.deepEqual(textOf({ width: 5, pixels: Uint8Array.from(labels) }), [
      '##...',
      '.#..2',
      '...2.',
      '.....',
      '....3',
    ]);
    assert.deepEqual(
      found.map(({ area, atEdge }) => [area, atEdge]),
      [
        [3, 2],
        [2, 1],
        [1, 1],
      ],
    );
    assert.deepEqual(found[1]?.box, { left: 3, top: 1, width: 2, height: 2 });
  });

  test('lose lines that are thinner than the square of an opening, and nothing else', () => {
    const crossed = rowsOf('...#....', '.###....', '.#######', '.###....', '...#....');
    assert.deepEqual(textOf(opened(crossed, 1)), ['........', '.###....', '.###....', '.###....', '........']);
    const whole = rowsOf('###', '###', '###');
    assert.deepEqual(
      textOf(opened(whole, 1)),
      ['...', '...', '...'].map(() => '###'),
    );
  });

  test('have their holes filled, but for those in which the background is seen', () => {
    const rings = rowsOf('.......', '.#####.', '.#.#.#.', '.#####.', '.......');
    const distance = rings.pixels.map((value, place) => (value === 1 ? 90 : place === 2 * 7 + 2 ? 20 : 0));
    assert.deepEqual(textOf(fillHoles(rings, distance, 5)), ['.......', '.#####.', '.###.#.', '.#####.', '.......']);
    const open = rowsOf('.###.', '.#.#.', '.#.#.');
    assert.deepEqual(textOf(fillHoles(open, new Uint8Array(15).fill(90), 5)), textOf(open), 'a bay is no hole');
  });

  test('are one thing with what is large or near; specks, and what nothing strong lies in, are not', () => {
    const wide = rowsOf(
      '....................................................',
      '......######..######................................',
      '......######..######...........................##...',
      '......######..######................................',
      '....................................................',
    );
    const all = mainParts(wide, () => true);
    assert.deepEqual(all?.box, { left: 6, top: 1, width: 14, height: 3 });
    const right = mainParts(wide, (place) => place % 52 > 12);
    assert.deepEqual(right?.box, { left: 14, top: 1, width: 6, height: 3 });
    assert.equal(
      mainParts(wide, () => false),
      null,
    );
    assert.equal(
      mainParts(rowsOf('....', '....'), () => true),
      null,
    );
  });

  test('are rather those in the middle than those along the edge', () => {
    const framed = rowsOf('#########', '#########', '#.......#', '#..####.#', '#..####.#', '#.......#', '.........');
    assert.deepEqual(mainParts(framed, () => true)?.box, { left: 3, top: 3, width: 4, height: 2 });
  });
});

describe('polarity', () => {
  const garment = rowsOf('....', '.##.', '....');
  const on = (background: number, foreground: number) => ({
    ...garment,
    pixels: garment.pixels.map((value) => (value === 1 ? foreground : background)),
  });

  test('makes a garment light that is darker than what lies around it, whatever the background is', () => {
    assert.equal(decidePolarity('auto', on(250, 30), garment), true);
    assert.equal(decidePolarity('auto', on(110, 60), garment), true);
    assert.equal(decidePolarity('auto', on(140, 200), garment), false);
    assert.equal(decidePolarity('auto', on(5, 90), garment), false);
  });

  test('is the client’s where it says so', () => {
    assert.equal(decidePolarity('keep', on(250, 30), garment), false);
    assert.equal(decidePolarity('invert', on(5, 90), garment), true);
  });
});

describe('a garment on black', () => {
  const mask = rowsOf('.##.');
  const grey = (...pixels: number[]) => ({ width: 4, height: 1, pixels: Uint8Array.from(pixels) });

  test('is as bright as it is dark on a light background, whose own tone is the white', () => {
    const { picture, isFaint } = onBlack(grey(250, 0, 200, 250), mask, 250, true);
    assert.deepEqual([...picture.pixels], [0, 255, 51, 0]);
    assert.equal(isFaint, false);
  });

  test('is as bright as it is on a dark background', () => {
    const { picture } = onBlack(grey(5, 255, 130, 90), mask, 5, false);
    assert.deepEqual([...picture.pixels], [0, 255, 128, 0]);
  });

  test('is as bright as it is against white on a background of a middle tone', () => {
    assert.deepEqual([...onBlack(grey(120, 55, 105, 120), mask, 120, true).picture.pixels], [0, 200, 150, 0]);
  });

  test('keeps nothing of what the mask leaves', () => {
    assert.deepEqual([...onBlack(grey(0, 100, 100, 0), mask, 250, true).picture.pixels].slice(3), [0]);
  });

  test('is brightened where it is nearly its background’s tone, and keeps the order of its own', () => {
    const { picture, isFaint } = onBlack(grey(250, 245, 240, 250), mask, 250, true);
    assert.equal(isFaint, true);
    const [outside = NaN, lighter = NaN, darker = NaN] = picture.pixels;
    assert.equal(outside, 0);
    assert.ok(lighter > 90 && darker > lighter, `${lighter}, ${darker}`);
  });
});

describe('a picture as a whole', () => {
  test('gets all the contrast there is, but for the noise of a blank one', () => {
    const ramp = Uint8Array.from({ length: 101 }, (_, place) => 60 + place);
    const { pixels } = stretched({ width: 101, height: 1, pixels: ramp });
    assert.deepEqual([pixels[0], pixels[5], pixels[50], pixels[95], pixels[100]], [0, 0, 128, 255, 255]);
    const noise = stretched({ width: 4, height: 1, pixels: Uint8Array.from([128, 130, 129, 128]) });
    assert.ok(noise.pixels.every((tone) => tone < 10));
  });
});

describe('cropping and centring', () => {
  test('a crop is the part of the picture that it names', () => {
    const picture = rowsOf('1234', '5678', '9abc');
    assert.deepEqual(textOf(cropped(picture, { left: 1, top: 1, width: 2, height: 2 })), ['67', 'ab']);
  });

  test('centring puts a picture into the middle of black', () => {
    const image = centre(rowsOf('12', '34'));
    assert.deepEqual(
      [...image.entries()].filter(([, pixel]) => pixel > 0),
      [
        [13 * 28 + 13, 1],
        [13 * 28 + 14, 2],
        [14 * 28 + 13, 3],
        [14 * 28 + 14, 4],
      ],
    );
  });
});

describe('what is told of a picture', () => {
  const header = { format: 'JPEG', width: 3000, height: 2000, cost: 6e6, isWhole: false, isPlain: false } as const;
  const decisions = { inverted: true, background: 'plain', warnings: [] } as const;
  const decoded = { width: 256, height: 171 };

  test('has the crop in pixels of the upright original, and within it', () => {
    const whole = { left: 0, top: 0, width: 256, height: 171 };
    const all = factsOf(header, decoded, { ...decisions, crop: whole, warnings: [] });
    assert.deepEqual(all.crop, { left: 0, top: 0, width: 3000, height: 2000 });
    const part = factsOf(header, decoded, {
      ...decisions,
      crop: { left: 64, top: 57, width: 128, height: 57 },
      warnings: [],
    });
    assert.deepEqual(part.crop, { left: 750, top: 667, width: 1500, height: 666 });
  });

  test('warns of a garment that had to be enlarged, and of one that has hardly any pixels', () => {
    const small = { ...header, width: 100, height: 100 };
    const warningsFor = (edge: number) =>
      factsOf(small, small, { ...decisions, crop: { left: 0, top: 0, width: edge, height: 5 }, warnings: [] }).warnings;
    assert.deepEqual(warningsFor(28), []);
    assert.deepEqual(warningsFor(27), ['upscaled']);
    assert.deepEqual(warningsFor(13), ['tiny']);
  });
});

describe('the header of a PNG', () => {
  test('tells size and interlacing without a decoder, and whether the picture may be turned or is plainly grey', async () => {
    const plain = await pngOf(garmentImage());
    assert.deepEqual(pngHeader(plain), {
      width: 28,
      height: 28,
      isInterlaced: false,
      pixelBytes: 2,
      mayBeTurned: false,
      isPlainGrey: true,
    });
    const turned = await sharp(plain).withMetadata({ orientation: 6 }).png({ progressive: true }).toBuffer();
    const { isInterlaced, mayBeTurned } = pngHeader(turned) ?? {};
    assert.deepEqual([isInterlaced, mayBeTurned], [true, true]);
    const tints = await pngVariants(garmentImage());
    assert.deepEqual(
      tints.filter(({ file }) => pngHeader(file)?.isPlainGrey).map(({ name }) => name),
      ['grey', 'grey, interlaced'],
    );
    assert.equal(pngHeader(plain.subarray(0, 32)), undefined);
  });
});
