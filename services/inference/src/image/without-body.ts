import { colourLine } from './colour-line.ts';
import { componentsOf } from './components.ts';
import { areaOf, onlyParts } from './mask.ts';
import { opened } from './opening.ts';
import type { ColourPicture, Mask } from './picture.ts';
import type { Rectangle } from './rectangle.ts';
import { hasHead, skinIn } from './skin.ts';

/** A part of a picture and the smallest rectangle around it. */
export interface Part {
  mask: Mask;
  box: Rectangle;
}

/** A part of skin has this share of the mask at least; all of them together are between the other two. */
const LEAST_PART = 0.01;
const LEAST_SKIN = 0.03;
const MOST_SKIN = 0.5;

/** Radius of the specks and threads that are cleared away, as a share of the picture's longer edge. */
const SPECK = 0.012;

/**
 * The garment alone where somebody wears it: without bare skin and, where what is left has one colour above a line and
 * another below it, the larger and more central of the two. Null where there is no head, and so, as far as can be
 * told, nobody.
 */
export function withoutBody(picture: ColourPicture, { mask, box }: Part): Part | null {
  const radius = Math.max(1, Math.round(SPECK * Math.max(mask.width, mask.height)));
  const area = areaOf(mask);
  const everySkin = skinIn(picture, mask);
  if (areaOf(everySkin) < LEAST_SKIN * area) return null; // most pictures: what follows only takes away from it
  const skin = largeParts(opened(everySkin, radius), LEAST_PART * area);
  const share = areaOf(skin) / area;
  if (share < LEAST_SKIN || share > MOST_SKIN || !hasHead(skin, mask, box)) return null;
  const clothes = largestPart(opened(difference(mask, skin), radius));
  if (clothes === null) return null;
  const line = colourLine(picture, clothes.mask, clothes.box);
  return line === null ? clothes : largestPart(mainSide(clothes, line));
}

function largeParts(mask: Mask, leastArea: number): Mask {
  const components = componentsOf(mask);
  return onlyParts(
    mask,
    components,
    components.found.filter(({ area }) => area >= leastArea),
  );
}

/** Null of an empty mask. */
function largestPart(mask: Mask): Part | null {
  const components = componentsOf(mask);
  const [largest] = components.found.toSorted((a, b) => b.area - a.area);
  return largest === undefined ? null : { mask: onlyParts(mask, components, [largest]), box: largest.box };
}

function mainSide({ mask, box }: Part, lastAbove: number): Mask {
  const between = (top: number, bottom: number): Mask => ({
    ...mask,
    pixels: mask.pixels.map((value, place) => {
      const y = Math.floor(place / mask.width);
      return y >= top && y < bottom ? value : 0;
    }),
  });
  const worth = (side: Mask, top: number, bottom: number) =>
    areaOf(side) * (1 - Math.abs((top + bottom) / 2 - mask.height / 2) / mask.height);
  const [top, line, bottom] = [box.top, lastAbove + 1, box.top + box.height];
  const [above, below] = [between(top, line), between(line, bottom)];
  return worth(above, top, line) >= worth(below, line, bottom) ? above : below;
}

function difference(mask: Mask, other: Mask): Mask {
  return { ...mask, pixels: mask.pixels.map((value, place) => (other.pixels[place] === 0 ? value : 0)) };
}
