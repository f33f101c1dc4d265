import { MAXIMUM_PIXEL } from '@atelier/domain';
import { boxBlur } from './box-blur.ts';
import { channelsOf, distanceFromBackground } from './background-colours.ts';
import { fillHoles } from './fill-holes.ts';
import type { FlatPicture } from './flatten.ts';
import { mainParts, type MainParts } from './main-parts.ts';
import { areaOf } from './mask.ts';
import { opened } from './opening.ts';
import { otsuThreshold } from './otsu.ts';
import type { ColourPicture, Mask } from './picture.ts';
import type { Rectangle } from './rectangle.ts';

/** A garment's place in a picture. */
export interface Garment {
  mask: Mask;
  /** The smallest rectangle around the mask. */
  box: Rectangle;
  /** Whether the mask can be believed: what it leaves is like the border, and it does not lie along the border itself. */
  isPlausible: boolean;
  /** The share of the picture's edge that the garment lies on. */
  atEdge: number;
}

export interface Found {
  /** Whether the border is of one colour. */
  isPlain: boolean;
  /** Null where nothing stands out. */
  garment: Garment | null;
}

/** Opaque from here on. */
const OPAQUE = 128;

/**
 * A pixel belongs to the garment from this share of the threshold on that parts garment and background best: light parts of it
 * do, and shadows, mostly, do not. On a background of several colours their mixtures must not.
 */
const WEAK_SHARE = 0.25;
const WEAK_SHARE_MIXED = 0.5;

/** What the noise of the background may come to; colours nearer than the second are the same to the eye. */
const NOISE_FACTOR = 1.5;
const LEAST_DISTANCE = 4;

/** Larger, as a share of the picture, is the background itself. */
const LARGEST_AREA = 0.95;

/** A garment that is cut off lies on less of the picture's edge than this. */
const LARGEST_AT_EDGE = 0.5;

/** With more of the edge, lines of the background may have been taken for parts of it, such as joints between tiles. */
const CUT_OFF_AT_EDGE = 0.02;

/** Lines up to twice this and one in width are no parts of a garment that is wider. */
const LINE_RADIUS = 2;

/** Where the garment is: what stands out from the colour, or colours, of the picture's border. */
export function findGarment({ picture, opacity }: FlatPicture): Found {
  if (opacity !== null) {
    const garment = opaquePart(picture, opacity);
    if (garment !== null) return { isPlain: true, garment };
  }
  const { distance, noise, isPlain } = distanceFromBackground(channelsOf(picture));
  const smooth = boxBlur({ ...picture, pixels: distance }, isPlain ? 1 : 2);
  const strong = otsuThreshold(smooth);
  const weak = Math.max(LEAST_DISTANCE, NOISE_FACTOR * noise, (isPlain ? WEAK_SHARE : WEAK_SHARE_MIXED) * strong);
  // The blur takes in a rim of background, which is itself no way off its own colour.
  const rim = isPlain ? weak / 2 : -1;
  const pixels = new Uint8Array(smooth.length);
  for (let place = 0; place < pixels.length; place++) {
    pixels[place] = (smooth[place] ?? 0) > weak && (distance[place] ?? 0) > rim ? 1 : 0;
  }
  const mask = { ...picture, pixels };
  const parts = withoutLines(mask, (place) => (smooth[place] ?? 0) > strong);
  return { isPlain, garment: parts && garmentOf(parts, distance, Math.max(1, noise)) };
}

function opaquePart({ width, height }: ColourPicture, opacity: Uint8Array): Garment | null {
  const mask = { width, height, pixels: opacity.map((value) => (value >= OPAQUE ? 1 : 0)) };
  const parts = mainParts(mask, () => true);
  const garment = parts && garmentOf(parts, opacity, MAXIMUM_PIXEL);
  return garment?.isPlausible === true ? garment : null;
}

function withoutLines(mask: Mask, isStrong: (place: number) => boolean): MainParts | null {
  const parts = mainParts(mask, isStrong);
  if (parts === null || shareOfEdge(parts) <= CUT_OFF_AT_EDGE) return parts;
  const cut = mainParts(opened(mask, LINE_RADIUS), isStrong);
  return cut !== null && cut.atEdge < parts.atEdge / 2 ? cut : parts;
}

/** Holes whose mean `distance` is at most `noise` stay open. */
function garmentOf(parts: MainParts, distance: Uint8Array, noise: number): Garment {
  const mask = fillHoles(parts.mask, distance, noise);
  const atEdge = shareOfEdge(parts);
  const isPlausible = areaOf(mask) <= LARGEST_AREA * mask.pixels.length && atEdge <= LARGEST_AT_EDGE;
  return { mask, box: parts.box, isPlausible, atEdge };
}

function shareOfEdge({ mask: { width, height }, atEdge }: MainParts): number {
  return atEdge / (2 * (width + height));
}
