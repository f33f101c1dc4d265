import { MAXIMUM_PIXEL } from '@atelier/domain';
import type { Mask, Picture } from './picture.ts';

/** A garment whose brightest parts are below this on black is hard to see. */
const LEAST_BRIGHT = 96;

/** What its brightest parts become then; and the mean brightness that its darkest keep to it. */
const BRIGHTENED = 200;

/** The share of its pixels that count as its brightest. */
const BRIGHTEST_SHARE = 0.1;

/** A background lighter than the second is meant to be white, one darker than the first is not. */
const DARK_BACKGROUND = 128;
const LIGHT_BACKGROUND = 192;

export interface GarmentOnBlack {
  picture: Picture;
  /** Whether it had to be brightened to be seen. */
  isFaint: boolean;
}

/**
 * What the mask leaves becomes 0; the garment is as bright as it differs from the `background`: 255 for black on a light one,
 * when `inverted`, or white on a dark one. Its tones keep their order, and those beyond the background become 0.
 */
export function onBlack(grey: Picture, mask: Mask, background: number, inverted: boolean): GarmentOnBlack {
  const black = inverted ? whiteOf(background) : MAXIMUM_PIXEL - whiteOf(MAXIMUM_PIXEL - background);
  const range = inverted ? black : MAXIMUM_PIXEL - black;
  const sign = (inverted ? -1 : 1) * (MAXIMUM_PIXEL / range);
  const bright = new Float32Array(grey.pixels.length);
  const counts = new Uint32Array(MAXIMUM_PIXEL + 1);
  let count = 0;
  for (let place = 0; place < bright.length; place++) {
    if (mask.pixels[place] === 0) continue;
    const value = Math.min(MAXIMUM_PIXEL, Math.max(0, sign * ((grey.pixels[place] ?? 0) - black)));
    bright[place] = value;
    counts[Math.round(value)]!++;
    count++;
  }
  const brightest = percentile(counts, count * (1 - BRIGHTEST_SHARE));
  const isFaint = count > 0 && brightest < LEAST_BRIGHT;
  if (isFaint) {
    const gain = BRIGHTENED / 2 / Math.max(8, brightest);
    for (let place = 0; place < bright.length; place++) {
      if (mask.pixels[place] !== 0)
        bright[place] = Math.min(MAXIMUM_PIXEL, BRIGHTENED / 2 + gain * (bright[place] ?? 0));
    }
  }
  const pixels = new Uint8Array(bright.length);
  for (let place = 0; place < pixels.length; place++) pixels[place] = (bright[place] ?? 0) + 0.5;
  return { picture: { ...grey, pixels }, isFaint };
}

/**
 * What stands for white beside a background: a light one itself, as the paper and the walls of catalogues are meant to be;
 * beside a darker one it is white, and between the two a mixture.
 */
function whiteOf(background: number): number {
  const share = Math.min(1, Math.max(0, (background - DARK_BACKGROUND) / (LIGHT_BACKGROUND - DARK_BACKGROUND)));
  return share * background + (1 - share) * MAXIMUM_PIXEL;
}

function percentile(counts: Uint32Array, rank: number): number {
  let sum = 0;
  for (const [value, count] of counts.entries()) {
    sum += count;
    if (sum >= rank) return value;
  }
  return MAXIMUM_PIXEL;
}
