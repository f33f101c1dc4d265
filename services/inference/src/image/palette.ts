import type { Channels } from './background-colours.ts';

/** A colour in the units of `Channels`. */
export type Colour = readonly [number, number, number];

/** Wood, tiles and carpets come out at a few colours; more of them would take the garment in. */
const COLOURS = 5;
const ROUNDS = 8;

/** A colour with a smaller share of the border is rather something that lies across it. */
const LEAST_SHARE = 0.08;

const BLACK: Colour = [0, 0, 0];

/** The colours of the pixels at `places`, by k-means that begins with pixels spread evenly by how light they are. */
export function paletteOf({ planes }: Channels, places: Int32Array): Colour[] {
  const [luma, blueness, redness] = planes;
  const byLight = Int32Array.from(places).sort((a, b) => (luma[a] ?? 0) - (luma[b] ?? 0) || a - b);
  let colours = Array.from({ length: COLOURS }, (_, index): Colour => {
    const place = byLight[Math.floor(((index + 0.5) / COLOURS) * byLight.length)] ?? 0;
    return [luma[place] ?? 0, blueness[place] ?? 0, redness[place] ?? 0];
  });
  let shares: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sums = colours.map(() => [0, 0, 0, 0]);
    for (const place of places) {
      const [light, blue, red] = [luma[place] ?? 0, blueness[place] ?? 0, redness[place] ?? 0];
      const sum = sums[nearest(colours, light, blue, red)] ?? [];
      sum[0] = (sum[0] ?? 0) + light;
      sum[1] = (sum[1] ?? 0) + blue;
      sum[2] = (sum[2] ?? 0) + red;
      sum[3] = (sum[3] ?? 0) + 1;
    }
    shares = sums.map(([, , , count = 0]) => count / places.length);
    colours = colours.map((colour, index) => {
      const [light = 0, blue = 0, red = 0, count = 0] = sums[index] ?? [];
      return count === 0 ? colour : [light / count, blue / count, red / count];
    });
  }
  return colours.filter((_, index) => (shares[index] ?? 0) >= LEAST_SHARE);
}

/** How far each pixel is from the nearest of `colours`, [height, width], at most 255. */
export function nearestTo({ width, height, planes }: Channels, colours: readonly Colour[]): Uint8Array {
  const [luma, blueness, redness] = planes;
  const distance = new Uint8Array(width * height);
  for (let place = 0; place < distance.length; place++) {
    const light = luma[place] ?? 0;
    const blue = blueness[place] ?? 0;
    const red = redness[place] ?? 0;
    const colour = colours[nearest(colours, light, blue, red)] ?? BLACK;
    distance[place] = Math.min(255, Math.sqrt(squareDistance(colour, light, blue, red)));
  }
  return distance;
}

function squareDistance(colour: Colour, light: number, blue: number, red: number): number {
  return (light - colour[0]) ** 2 + (blue - colour[1]) ** 2 + (red - colour[2]) ** 2;
}

function nearest(colours: readonly Colour[], light: number, blue: number, red: number): number {
  let best = 0;
  let least = Infinity;
  for (let index = 0; index < colours.length; index++) {
    const square = squareDistance(colours[index] ?? BLACK, light, blue, red);
    if (square >= least) continue;
    least = square;
    best = index;
  }
  return best;
}
