import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  channelsOf,
  createImageDecoder,
  distanceFromBackground,
  findGarment,
  type Garment,
  paletteOf,
} from '@atelier/inference';
import { drawnFile, drawnPicture, type Rgb, speckle } from '../../support/drawn-picture.ts';

const WIDTH = 240;
const HEIGHT = 180;
const BODY = { left: 80, top: 40, width: 80, height: 100 };

type Painter = (x: number, y: number) => Rgb;
const grey = (value: number): Rgb => [value, value, value];
const inside = ({ left, top, width, height }: typeof BODY, x: number, y: number) =>
  x >= left && x < left + width && y >= top && y < top + height;

/** The rectangle of a garment before a background. */
function scene(background: Painter, garment: Painter, body = BODY) {
  return drawnPicture(WIDTH, HEIGHT, (x, y) => (inside(body, x, y) ? garment(x, y) : background(x, y)));
}

function found(picture: ReturnType<typeof drawnPicture>): Garment & { isPlain: boolean } {
  const { garment, isPlain } = findGarment({ picture, opacity: null });
  assert.ok(garment);
  return { ...garment, isPlain };
}

/** The area that two masks share over the area that either has. */
function overlap({ mask }: Garment, body = BODY): number {
  let [both, either] = [0, 0];
  for (const [place, value] of mask.pixels.entries()) {
    const isInside = inside(body, place % WIDTH, Math.floor(place / WIDTH));
    if (value === 1 && isInside) both++;
    if (value === 1 || isInside) either++;
  }
  return both / either;
}

const noisy =
  (level: number, amount: number): Painter =>
  (x, y) =>
    grey(level + amount * (speckle(x, y) - 0.5));

describe('a garment is found', () => {
  const dark: Painter = (x) => grey(30 + (x % 8));

  for (const [title, background, garment] of [
    ['on white', () => grey(253), dark],
    ['on black', () => grey(4), () => grey(200)],
    ['on a middle tone, darker', noisy(128, 8), () => grey(70)],
    ['on a middle tone, lighter', noisy(128, 8), () => grey(190)],
    ['of another colour that is as light as its background', noisy(130, 6), () => [220, 92, 92]],
    ['nearly white on white, with the noise of a camera', noisy(250, 3), () => grey(238)],
    ['on a wall that becomes darker to one side', (x, y) => grey(250 - 0.4 * x - 0.1 * y), dark],
    ['with two tones, one of them near the background', () => grey(235), (_, y) => grey(y < 90 ? 40 : 150)],
  ] as [string, Painter, Painter][]) {
    test(`${title}, and the border is plain`, () => {
      const garmentFound = found(scene(background, garment));
      assert.ok(overlap(garmentFound) > 0.95, `${overlap(garmentFound)}`);
      assert.equal(garmentFound.isPlain, true);
      assert.equal(garmentFound.isPlausible, true);
      assert.equal(garmentFound.atEdge, 0);
    });
  }

  const planks: Painter = (x, y) => {
    const plank = speckle(Math.floor(x / 50), Math.floor(y / 15));
    return [130 + 90 * plank, 95 + 70 * plank, 60 + 45 * plank];
  };
  for (const [title, background, garment] of [
    ['on a floor of planks', planks, () => [30, 40, 120]],
    ['before a wall and a floor', (_, y) => (y < 100 ? [225, 220, 210] : [120, 80, 50]), () => [30, 110, 60]],
    ['on checks', (x, y) => ((Math.floor(x / 12) + Math.floor(y / 12)) % 2 ? grey(225) : grey(150)), () => grey(25)],
  ] as [string, Painter, Painter][]) {
    test(`${title}, and the border is of more than one colour`, () => {
      const garmentFound = found(scene(background, garment));
      assert.ok(overlap(garmentFound) > 0.85, `${overlap(garmentFound)}`);
      assert.equal(garmentFound.isPlain, false);
    });
  }

  test('between the joints of tiles, of which none is taken for a part of it', () => {
    const tiles: Painter = (x, y) => grey(x % 45 < 2 || y % 45 < 2 ? 120 : 210);
    assert.ok(overlap(found(scene(tiles, () => grey(25)))) > 0.9);
  });

  test('with its thin straps', () => {
    const straps = (x: number, y: number) => y >= 20 && y < 40 && (Math.abs(x - 100) <= 1 || Math.abs(x - 140) <= 1);
    const picture = drawnPicture(WIDTH, HEIGHT, (x, y) =>
      inside(BODY, x, y) || straps(x, y) ? grey(60) : noisy(240, 6)(x, y),
    );
    const { box } = found(picture);
    assert.ok(Math.abs(box.top - 20) <= 1 && Math.abs(box.height - 120) <= 2, JSON.stringify(box));
  });

  test('where it is nothing but thin', () => {
    const sandal: Painter = (x, y) =>
      x >= 60 && x < 180 && Math.abs(y - 90 - 30 * Math.sin(x / 20)) < 2 ? grey(40) : noisy(240, 6)(x, y);
    const { box } = found(drawnPicture(WIDTH, HEIGHT, sandal));
    assert.ok(Math.abs(box.left - 60) <= 2 && Math.abs(box.width - 120) <= 3, JSON.stringify(box));
  });

  test('with the background under its handle left open, and a print in it filled', () => {
    const print: Painter = (x, y) => (Math.hypot(x - 120, y - 110) < 12 ? grey(205) : grey(50));
    const isHandle = (x: number, y: number) => y < 90 && Math.abs(Math.hypot(x - 120, y - 90) - 30) < 5;
    const picture = drawnPicture(WIDTH, HEIGHT, (x, y) =>
      inside({ left: 70, top: 90, width: 100, height: 60 }, x, y) ? print(x, y) : grey(isHandle(x, y) ? 50 : 240),
    );
    const { mask } = found(picture);
    const at = (x: number, y: number) => mask.pixels[y * WIDTH + x];
    assert.equal(at(120, 60), 1, 'the handle');
    assert.equal(at(120, 78), 0, 'under the handle');
    assert.equal(at(120, 110), 1, 'the print');
  });

  test('with both of a pair, and without a speck in the corner', () => {
    const pair: Painter = (x, y) =>
      inside({ left: 40, top: 60, width: 50, height: 70 }, x, y) ||
      inside({ left: 150, top: 60, width: 50, height: 70 }, x, y) ||
      inside({ left: 2, top: 2, width: 3, height: 3 }, x, y)
        ? grey(30)
        : grey(250);
    const { box } = found(drawnPicture(WIDTH, HEIGHT, pair));
    assert.deepEqual([box.left, box.top, box.width, box.height], [40, 60, 160, 70]);
  });

  test('by what is opaque, also where it is as white as what is transparent becomes', () => {
    const picture = drawnPicture(WIDTH, HEIGHT, () => grey(255));
    const opacity = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, place) =>
      inside(BODY, place % WIDTH, Math.floor(place / WIDTH)) ? 255 : 0,
    );
    const { garment, isPlain } = findGarment({ picture, opacity });
    assert.deepEqual(garment?.box, BODY);
    assert.equal(isPlain, true);
  });

  test('and how much of the picture’s edge it lies on, where it is cut off', () => {
    const cut = { left: 80, top: 0, width: 80, height: 120 };
    const { atEdge, box } = found(scene(() => grey(250), dark, cut));
    assert.ok(Math.abs(atEdge - 80 / (2 * (WIDTH + HEIGHT))) < 0.01, `${atEdge}`);
    assert.deepEqual(box, cut);
  });

  test('nowhere in a blank picture, nor in the noise of a camera', () => {
    for (const blank of [noisy(255, 0), noisy(0, 0), noisy(128, 6)]) {
      const nothing = findGarment({ picture: drawnPicture(WIDTH, HEIGHT, blank), opacity: null });
      assert.deepEqual(nothing, { isPlain: true, garment: null });
    }
  });
});

describe('the background', () => {
  test('has a distance of next to nothing from itself, and what is not like it a large one', () => {
    const picture = scene(noisy(200, 6), () => grey(60));
    const { distance, noise, isPlain } = distanceFromBackground(channelsOf(picture));
    assert.equal(isPlain, true);
    assert.ok(noise <= 3, `${noise}`);
    assert.ok(Math.abs((distance[90 * WIDTH + 120] ?? 0) - 140) <= 3);
  });

  test('has a few colours where it is of more than one, and none of what hardly touches the border', () => {
    const picture = drawnPicture(WIDTH, HEIGHT, (x, y) =>
      y < 2 && x < 12 ? [0, 200, 0] : x < 120 ? [200, 180, 150] : [60, 60, 160],
    );
    const border = Int32Array.from({ length: WIDTH }, (_, x) => x);
    const colours = paletteOf(channelsOf(picture), border);
    assert.ok(colours.length >= 2);
    for (const [light] of colours) assert.ok(Math.abs(light - 183) < 8 || Math.abs(light - 71) < 8, `${light}`);
  });
});

describe('a picture in the answer’s terms', () => {
  const decode = createImageDecoder(1_000_000);
  const decoded = async (background: Painter, garment: Painter) => decode(await drawnFile(scene(background, garment)));

  test('is of a white garment on white: still there, and said to be faint', async () => {
    const { image, facts } = await decoded(noisy(252, 2), () => grey(240));
    assert.ok(facts.warnings.includes('low-contrast'));
    assert.ok((image[14 * 28 + 14] ?? 0) > 90, 'the garment is light');
    assert.equal(image[0], 0);
  });

  test('is of a garment on a middle tone: light on black, whether it was lighter or darker', async () => {
    for (const [tone, inverted] of [
      [40, true],
      [220, false],
    ] as const) {
      const { image, facts } = await decoded(noisy(125, 8), () => grey(tone));
      assert.equal(facts.inverted, inverted);
      assert.ok((image[14 * 28 + 14] ?? 0) > 150);
      assert.equal(image[0], 0);
    }
  });

  test('is busy where the border is of many colours, and says so', async () => {
    const { facts } = await decoded(
      (x, y) => [
        255 * speckle(x >> 3, y >> 3),
        255 * speckle(x >> 3, 99 + (y >> 3)),
        255 * speckle(7 + (x >> 3), y >> 3),
      ],
      () => grey(20),
    );
    assert.equal(facts.background, 'busy');
    assert.ok(facts.warnings.includes('busy-background'));
  });

  test('has no garment where it is blank, and says so', async () => {
    const { facts, image } = await decoded(
      () => grey(255),
      () => grey(255),
    );
    assert.deepEqual([facts.background, facts.crop, facts.warnings], ['none', null, ['no-garment']]);
    assert.ok(image.every((pixel) => pixel === 0));
  });

  test('is cut off where the garment lies on its edge, and says so', async () => {
    const cut = { left: 80, top: 0, width: 80, height: 120 };
    const picture = scene(
      () => grey(250),
      () => grey(30),
      cut,
    );
    const { facts } = await decode(await drawnFile(picture));
    assert.deepEqual(facts.warnings, ['touches-border']);
    assert.deepEqual(facts.crop, cut);
  });
});
