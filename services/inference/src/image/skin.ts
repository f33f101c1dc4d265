import { type Component, componentsOf } from './components.ts';
import type { ColourPicture, Mask } from './picture.ts';
import type { Rectangle } from './rectangle.ts';

/** The range of skin in colour differences (ITU-R BT.601, full range), however light (Chai and Ngan 1999, doi:10.1109/76.767122). */
const BLUENESS = [77, 127] as const;
const REDNESS = [133, 173] as const;

/** What of a mask has the colours of skin. Leather, wood and sand have them, too. */
export function skinIn({ pixels }: ColourPicture, mask: Mask): Mask {
  const skin = new Uint8Array(mask.pixels.length);
  for (let place = 0, offset = 0; place < skin.length; place++, offset += 3) {
    if (mask.pixels[place] === 0) continue;
    const [red, green, blue] = [pixels[offset] ?? 0, pixels[offset + 1] ?? 0, pixels[offset + 2] ?? 0];
    const blueness = 128 - 0.169 * red - 0.331 * green + 0.5 * blue;
    const redness = 128 + 0.5 * red - 0.419 * green - 0.081 * blue;
    skin[place] = isWithin(blueness, BLUENESS) && isWithin(redness, REDNESS) ? 1 : 0;
  }
  return { ...mask, pixels: skin };
}

function isWithin(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= low && value <= high;
}

/** A head or a neck is in this share of a body's height from above, and no wider than the second of its width. */
const HEAD_HEIGHT = 0.4;
const HEAD_WIDTH = 0.5;

/** Its middle is no farther from the body's, as a share of the width: the top of a shoe is above the heel. */
const HEAD_ASIDE = 0.15;

/** So much of its outline is the body's: a print in the colours of skin has none there. */
const HEAD_FREE = 0.12;

/** So many pixels may have been taken off a mask's outline before. */
const RIM = 5;

/** Whether a connected part of `skin` can be the head of what fills `box` in `mask`: above, in the middle, narrow, not within. */
export function hasHead(skin: Mask, mask: Mask, box: Rectangle): boolean {
  const { labels, found } = componentsOf(skin);
  return found.filter((part) => isPlacedAsHead(part, box)).some((part) => freeShare(part, labels, mask) >= HEAD_FREE);
}

function isPlacedAsHead({ box }: Component, body: Rectangle): boolean {
  const aside = Math.abs(box.left + box.width / 2 - (body.left + body.width / 2));
  const isAbove = box.top + box.height / 2 <= body.top + HEAD_HEIGHT * body.height;
  return isAbove && aside <= HEAD_ASIDE * body.width && box.width <= HEAD_WIDTH * body.width;
}

/** The share of a part's outline behind which there is nothing of the mask. */
function freeShare({ label, box }: Component, labels: Int32Array, { width, height, pixels }: Mask): number {
  const isOutside = (x: number, y: number) =>
    x < 0 || y < 0 || x >= width || y >= height || pixels[y * width + x] === 0;
  const isOther = (x: number, y: number) =>
    x < 0 || y < 0 || x >= width || y >= height || labels[y * width + x] !== label;
  let [outline, free] = [0, 0];
  for (let y = box.top; y < box.top + box.height; y++) {
    for (let x = box.left; x < box.left + box.width; x++) {
      if (labels[y * width + x] !== label) continue;
      for (const [across, down] of NEIGHBOURS) {
        if (!isOther(x + across, y + down)) continue;
        outline++;
        if (isOutside(x + RIM * across, y + RIM * down)) free++;
      }
    }
  }
  return outline === 0 ? 0 : free / outline;
}

const NEIGHBOURS = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;
