import type { Picture } from './picture.ts';

/** The places of the pixels at most `thickness` from an edge, each once, row by row. */
export function borderPlaces({ width, height }: Pick<Picture, 'width' | 'height'>, thickness: number): Int32Array {
  const innerWidth = Math.max(0, width - 2 * thickness);
  const innerHeight = Math.max(0, height - 2 * thickness);
  const places = new Int32Array(width * height - innerWidth * innerHeight);
  let count = 0;
  for (let y = 0; y < height; y++) {
    const isWhole = y < thickness || y >= height - thickness || innerWidth === 0;
    for (let x = 0; x < width; x++) {
      if (!isWhole && x === thickness) x += innerWidth; // over to the right edge
      places[count++] = y * width + x;
    }
  }
  return places;
}
