import { MAXIMUM_PIXEL } from '@atelier/domain';
import { characters, DIGITS, LETTERS, PRINTED, WRITTEN, writtenDigits } from './drawing/characters.ts';
import { blurred, drawn, fitted, type Grey } from './drawing/grey.ts';
import { type Random, randomOf } from './drawing/random.ts';
import { landscape, patches, pattern, texture, things } from './drawing/scenes.ts';

/** Images that are no garments: a name, what they are, and how to draw `count` of them, each [28, 28]. */
export interface OutlierKind {
  name: string;
  title: string;
  draw: (count: number, random: Random) => Uint8Array[] | Promise<Uint8Array[]>;
}

const each =
  (draw: (random: Random) => Uint8Array) =>
  (count: number, random: Random): Uint8Array[] =>
    Array.from({ length: count }, () => draw(random));

/** Some of the pictures, each fitted anew. */
function fittedFrom(
  pictures: readonly Grey[],
  count: number,
  random: Random,
  { edges, blurs, shift = 0 }: { edges: readonly [number, number]; blurs: readonly [number, number]; shift?: number },
): Uint8Array[] {
  const images: Uint8Array[] = [];
  while (images.length < count) {
    const offset = [random.whole(-shift, shift), random.whole(-shift, shift)] as const;
    const image = fitted(random.pick(pictures), random.whole(...edges), offset);
    if (image !== null) images.push(blurred(image, random.whole(...blurs)));
  }
  return images;
}

/** 28 pixels as the service's preparation gives them, sharp; the same out of focus; and 20 to 24 as MNIST has them. */
const SHARP = { edges: [28, 28], blurs: [0, 0] } as const;
const SOFT = { edges: [28, 28], blurs: [1, 2] } as const;
const SMALL = { edges: [20, 24], blurs: [0, 1], shift: 2 } as const;

const uniform: Draw = (random) => drawn(() => random.between(0, MAXIMUM_PIXEL + 1));
type Draw = (random: Random) => Uint8Array;

const gaussian: Draw = (random) => {
  const [mean, deviation] = [random.between(40, 215), random.between(15, 70)];
  return drawn(() => mean + deviation * random.normal());
};

const saltAndPepper: Draw = (random) => {
  const share = random.between(0.05, 0.5);
  return drawn(() => (random.between(0, 1) < share ? MAXIMUM_PIXEL : 0));
};

const plain: Draw = (random) => {
  const grey = random.whole(0, MAXIMUM_PIXEL);
  return drawn(() => grey);
};

const nearlyPlain: Draw = (random) => {
  const [grey, deviation] = [random.pick([0, random.between(0, MAXIMUM_PIXEL)]), random.between(0.3, 5)];
  return drawn(() => grey + Math.abs(deviation * random.normal()));
};

const gradient: Draw = (random) => {
  const [angle, from, to] = [random.between(0, 2 * Math.PI), random.between(0, 255), random.between(0, 255)];
  return drawn((x, y) => {
    const along = (Math.cos(angle) * (x - 13.5) + Math.sin(angle) * (y - 13.5)) / 38 + 0.5;
    return from + (to - from) * along;
  });
};

const printed =
  (texts: readonly string[], form: Parameters<typeof fittedFrom>[3]): OutlierKind['draw'] =>
  async (count, random) =>
    fittedFrom(await characters(texts, PRINTED), count, random, form);

/** All that the score is measured against; nothing is fitted to any of them. */
export const OUTLIER_KINDS: readonly OutlierKind[] = [
  { name: 'uniform-noise', title: 'noise, uniform', draw: each(uniform) },
  { name: 'gaussian-noise', title: 'noise, Gaussian', draw: each(gaussian) },
  { name: 'salt-and-pepper', title: 'noise, salt and pepper', draw: each(saltAndPepper) },
  { name: 'plain', title: 'blank: one grey, black to white', draw: each(plain) },
  { name: 'nearly-plain', title: 'blank: one grey and a little noise', draw: each(nearlyPlain) },
  { name: 'gradient', title: 'blank: from one grey to another', draw: each(gradient) },
  { name: 'printed-digits', title: 'digits, printed', draw: printed(DIGITS, SHARP) },
  { name: 'soft-digits', title: 'digits, printed, out of focus', draw: printed(DIGITS, SOFT) },
  {
    name: 'written-digits',
    title: 'digits, drawn with a pen',
    draw: async (count, random) =>
      fittedFrom(await writtenDigits(count, random), count, random, { ...SHARP, blurs: [0, 1] }),
  },
  {
    name: 'small-digits',
    title: 'digits, drawn with a pen, 20 to 24 pixels',
    draw: async (count, random) => fittedFrom(await writtenDigits(count, random), count, random, SMALL),
  },
  { name: 'printed-letters', title: 'letters, printed', draw: printed(LETTERS, SHARP) },
  { name: 'soft-letters', title: 'letters, printed, out of focus', draw: printed(LETTERS, SOFT) },
  {
    name: 'written-letters',
    title: 'letters, in a written hand, 20 to 24 pixels',
    draw: async (count, random) => fittedFrom(await characters(LETTERS, WRITTEN), count, random, SMALL),
  },
  { name: 'patches', title: 'pictures: soft patches of light', draw: each(patches) },
  { name: 'pattern', title: 'pictures: stripes and squares', draw: each(pattern) },
  { name: 'texture', title: 'pictures: textures', draw: each(texture) },
  { name: 'landscape', title: 'pictures: landscapes', draw: each(landscape) },
  { name: 'things', title: 'pictures: round things on black', draw: each(things) },
];

/** `count` images of a kind, one behind the other [count, 28, 28]; the same for the same seed. */
export async function drawnOutliers(kind: OutlierKind, count: number, seed: number): Promise<Uint8Array> {
  // A stream of its own for each kind, or one more image of a kind would change all that follow.
  const random = randomOf(seed * 1000 + OUTLIER_KINDS.indexOf(kind));
  return Buffer.concat(await kind.draw(count, random));
}
