import { IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import { greyPixels, pngDataUri, pngOf, signedPixels } from '@atelier/pictures';

/** So many pixels wide and high is one of the image: 28 are too few to look at. */
const SCALE = 4;

/** How dark the brightest garment is drawn: dark enough to be seen, and light enough to leave the colours on it apart. */
const INK = 0.4;

/**
 * An image [28, 28] as a light drawing on white, under a map [28, 28] of it: what speaks for is blue, what speaks against
 * orange, the strongest of them in full colour. A PNG of 112×112 as a data URI.
 */
export function overlayOf(image: Uint8Array, map: Float32Array): string {
  const width = IMAGE_WIDTH * SCALE;
  const largest = map.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const drawing = greyPixels(
    Uint8Array.from(ENLARGED, (place) => 255 - INK * (image[place] ?? 0)),
    width,
  );
  const colours = signedPixels(
    Float32Array.from(ENLARGED, (place) => map[place] ?? 0),
    width,
    largest,
  );
  const data = drawing.data.map((light, place) => (light * (colours.data[place] ?? 0)) / 255);
  return pngDataUri(pngOf({ ...drawing, data }));
}

/** For each pixel of the overlay, row-major, the place of the one that it shows. */
const ENLARGED = Array.from({ length: PIXELS_PER_IMAGE * SCALE ** 2 }, (_, place) => {
  const [row, column] = [Math.floor(place / (IMAGE_WIDTH * SCALE)), place % (IMAGE_WIDTH * SCALE)];
  return Math.floor(row / SCALE) * IMAGE_WIDTH + Math.floor(column / SCALE);
});
