import { type Component, componentsOf } from './components.ts';
import { onlyParts } from './mask.ts';
import type { Mask } from './picture.ts';
import type { Rectangle } from './rectangle.ts';

/** What of a mask is one thing. */
export interface MainParts {
  mask: Mask;
  /** The smallest rectangle around the mask. */
  box: Rectangle;
  /** How many of its pixels lie at the picture's edge. */
  atEdge: number;
}

/** Of the picture: what is smaller is a speck. */
const LEAST_AREA = 0.002;

/** A part beside the main one belongs to it with this share of its worth, or with the second where it is near. */
const SECOND_SHARE = 0.15;
const NEAR_SHARE = 0.01;
/** Near is this share of the picture's longer edge. */
const NEAR = 0.04;

/**
 * The largest connected part of a mask that has a strong pixel, one in the middle before one at the side, and the parts that
 * belong to it, such as the other shoe of a pair, or a strap. Null where there are only specks.
 */
export function mainParts(mask: Mask, isStrong: (place: number) => boolean): MainParts | null {
  const { width, height } = mask;
  const components = componentsOf(mask);
  const { labels, found } = components;
  const strong = new Uint8Array(found.length + 1);
  for (let place = 0; place < labels.length; place++) {
    const label = labels[place] ?? 0;
    if (label !== 0 && isStrong(place)) strong[label] = 1;
  }
  const candidates = found.filter(({ label }) => strong[label] === 1);
  const [main] = candidates.sort((a, b) => worth(b, mask) - worth(a, mask));
  if (main === undefined || main.area < LEAST_AREA * width * height) return null;
  const reach = NEAR * Math.max(width, height);
  const parts = candidates.filter(
    (part) =>
      part === main ||
      worth(part, mask) >= SECOND_SHARE * worth(main, mask) ||
      (worth(part, mask) >= NEAR_SHARE * worth(main, mask) && gap(part.box, main.box) <= reach),
  );
  const atEdge = parts.reduce((sum, part) => sum + part.atEdge, 0);
  return { mask: onlyParts(mask, components, parts), box: around(parts), atEdge };
}

/** Large and in the middle, and not along the edge. */
function worth({ area, atEdge, box }: Component, { width, height }: Mask): number {
  const [x, y] = [box.left + box.width / 2 - width / 2, box.top + box.height / 2 - height / 2];
  const offCentre = Math.hypot(x, y) / Math.hypot(width / 2, height / 2);
  return area * (1 - offCentre / 2) * (1 - Math.min(1, atEdge / (width + height)));
}

function gap(a: Rectangle, b: Rectangle): number {
  const x = Math.max(a.left - (b.left + b.width), b.left - (a.left + a.width), 0);
  const y = Math.max(a.top - (b.top + b.height), b.top - (a.top + a.height), 0);
  return Math.max(x, y);
}

function around(parts: readonly Component[]): Rectangle {
  const left = Math.min(...parts.map(({ box }) => box.left));
  const top = Math.min(...parts.map(({ box }) => box.top));
  const right = Math.max(...parts.map(({ box }) => box.left + box.width));
  const bottom = Math.max(...parts.map(({ box }) => box.top + box.height));
  return { left, top, width: right - left, height: bottom - top };
}
