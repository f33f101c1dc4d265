import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findGarment, type Garment, withoutBody } from '@atelier/inference';
import { drawnPicture, type Rgb } from '../../support/drawn-picture.ts';

const [WIDTH, HEIGHT] = [200, 260];
const WHITE: Rgb = [250, 250, 250];
const SKIN: Rgb = [224, 172, 128];
const HAIR: Rgb = [40, 28, 22];
const GREEN: Rgb = [40, 130, 60];
const JEANS: Rgb = [50, 60, 100];

interface Piece {
  left: number;
  top: number;
  right: number;
  bottom: number;
  colour: Rgb;
}
const SHIRT: Piece = { left: 60, top: 80, right: 140, bottom: 190, colour: GREEN };
const TROUSERS: Piece = { left: 70, top: 190, right: 130, bottom: 255, colour: JEANS };
const PERSON: readonly Piece[] = [
  { left: 84, top: 12, right: 116, bottom: 26, colour: HAIR },
  { left: 84, top: 26, right: 116, bottom: 80, colour: SKIN },
  { left: 40, top: 90, right: 60, bottom: 180, colour: SKIN },
  { left: 140, top: 90, right: 160, bottom: 180, colour: SKIN },
];

/** What lies on white, later pieces over earlier ones. */
function garmentIn(pieces: readonly Piece[]): { picture: ReturnType<typeof drawnPicture>; garment: Garment } {
  const picture = drawnPicture(WIDTH, HEIGHT, (x, y) => {
    const piece = pieces.findLast(({ left, top, right, bottom }) => x >= left && x < right && y >= top && y < bottom);
    return piece?.colour ?? WHITE;
  });
  const { garment } = findGarment({ picture, opacity: null });
  assert.ok(garment);
  return { picture, garment };
}

function wornIn(pieces: readonly Piece[]) {
  const { picture, garment } = garmentIn(pieces);
  return withoutBody(picture, garment);
}

/** By a few pixels, which opening rounds off. */
function assertAbout({ left, top, width, height }: Garment['box'], piece: Piece): void {
  const found = [left, top, left + width, top + height];
  const expected = [piece.left, piece.top, piece.right, piece.bottom];
  found.forEach((edge, index) =>
    assert.ok(Math.abs(edge - (expected[index] ?? NaN)) <= 6, `${found.join()} for ${expected.join()}`),
  );
}

describe('a garment that somebody wears', () => {
  test('is found without head, arms and what is worn below it', () => {
    const worn = wornIn([...PERSON, SHIRT, TROUSERS]);
    assert.ok(worn);
    assertAbout(worn.box, SHIRT);
  });

  test('is what is worn below where that is larger and in the middle', () => {
    const top: Piece = { ...SHIRT, top: 60, bottom: 100 };
    const trousers: Piece = { ...TROUSERS, top: 100 };
    const worn = wornIn([{ left: 84, top: 8, right: 116, bottom: 60, colour: SKIN }, top, trousers]);
    assert.ok(worn);
    assertAbout(worn.box, trousers);
  });

  test('is all of what is worn where that has one colour', () => {
    const worn = wornIn([...PERSON, SHIRT, { ...TROUSERS, colour: GREEN }]);
    assert.ok(worn);
    assertAbout(worn.box, { ...SHIRT, bottom: TROUSERS.bottom });
  });
});

describe('a garment that nobody wears stays as it is', () => {
  for (const [title, pieces] of [
    ['of one colour', [SHIRT]],
    ['in two colours', [SHIRT, TROUSERS]],
    [
      'in the colour of skin, as leather is',
      [
        { ...SHIRT, colour: SKIN },
        { left: 90, top: 40, right: 110, bottom: 80, colour: SKIN },
      ],
    ],
    ['with a print in the colour of skin', [SHIRT, { left: 84, top: 90, right: 116, bottom: 120, colour: SKIN }]],
    ['with a sole in the colour of skin', [SHIRT, { left: 60, top: 170, right: 140, bottom: 190, colour: SKIN }]],
    [
      'with a shaft in the colour of skin above its heel',
      [SHIRT, { left: 112, top: 40, right: 140, bottom: 80, colour: SKIN }],
    ],
  ] as const) {
    test(title, () => assert.equal(wornIn(pieces), null));
  }
});
