import type { ColourPicture, Mask } from './picture.ts';
import type { Rectangle } from './rectangle.ts';

/** The colours, red, green and blue from 0 to 255, just above and just below a line between two garments are farther apart. */
const OTHER_COLOUR = 30;

/** Just above and below: this share of the rows. */
const NEAR = 0.06;

/** Neither of two garments has less than this share of the rows. */
const LEAST_ROWS = 0.15;

/** The last row above the line that parts the colours of a mask best, by the means of its rows; null where they do not change there. */
export function colourLine(picture: ColourPicture, mask: Mask, box: Rectangle): number | null {
  const rows = Array.from({ length: box.height }, (_, row) => sumsOf(picture, mask, box.top + row));
  const total = joined(rows);
  const margin = Math.ceil(LEAST_ROWS * box.height);
  let [above, best, widest] = [NOTHING, -1, 0];
  for (const [index, row] of rows.entries()) {
    above = joined([above, row]);
    if (index + 1 < margin || index + 1 > box.height - margin) continue;
    const below = without(total, above);
    // Otsu's measure: what two classes have between them.
    const between = above.count * below.count * distance(above, below) ** 2;
    if (between > widest) [best, widest] = [index, between];
  }
  if (best < 0) return null;
  const near = Math.max(2, Math.round(NEAR * box.height));
  const upper = joined(rows.slice(Math.max(0, best - near), best));
  const lower = joined(rows.slice(best + 1, best + 1 + near));
  return distance(upper, lower) > OTHER_COLOUR ? box.top + best : null;
}

/** Of some pixels. */
interface Sums {
  count: number;
  red: number;
  green: number;
  blue: number;
}

const NOTHING: Sums = { count: 0, red: 0, green: 0, blue: 0 };

function sumsOf({ pixels }: ColourPicture, mask: Mask, y: number): Sums {
  let { count, red, green, blue } = NOTHING;
  for (let place = y * mask.width; place < (y + 1) * mask.width; place++) {
    if (mask.pixels[place] === 0) continue;
    count++;
    red += pixels[3 * place] ?? 0;
    green += pixels[3 * place + 1] ?? 0;
    blue += pixels[3 * place + 2] ?? 0;
  }
  return { count, red, green, blue };
}

function joined(all: readonly Sums[]): Sums {
  let { count, red, green, blue } = NOTHING;
  for (const sums of all) {
    count += sums.count;
    red += sums.red;
    green += sums.green;
    blue += sums.blue;
  }
  return { count, red, green, blue };
}

function without(all: Sums, some: Sums): Sums {
  return {
    count: all.count - some.count,
    red: all.red - some.red,
    green: all.green - some.green,
    blue: all.blue - some.blue,
  };
}

/** Between mean colours; 0 where there is nothing to compare. */
function distance(a: Sums, b: Sums): number {
  if (a.count === 0 || b.count === 0) return 0;
  const [red, green, blue] = [
    a.red / a.count - b.red / b.count,
    a.green / a.count - b.green / b.count,
    a.blue / a.count - b.blue / b.count,
  ];
  return Math.hypot(red, green, blue);
}
