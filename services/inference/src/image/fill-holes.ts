import { componentsOf } from './components.ts';
import type { Mask } from './picture.ts';

/**
 * The mask with its holes, to which no way leads from the picture's edge, filled; all but those whose pixels `distance`, by
 * their mean, is no more than `noise`: through these the background is seen, as under the handle of a bag.
 */
export function fillHoles(mask: Mask, distance: Uint8Array, noise: number): Mask {
  const holes = holesOf(mask);
  const { labels, found } = componentsOf(holes);
  const sums = new Float64Array(found.length + 1);
  for (let place = 0; place < labels.length; place++) {
    const label = labels[place] ?? 0;
    sums[label] = (sums[label] ?? 0) + (distance[place] ?? 0);
  }
  const isFilled = new Uint8Array(found.length + 1);
  for (const { label, area } of found) isFilled[label] = (sums[label] ?? 0) / area > noise ? 1 : 0;
  const pixels = new Uint8Array(labels.length);
  for (let place = 0; place < pixels.length; place++) {
    pixels[place] = (mask.pixels[place] ?? 0) | (isFilled[labels[place] ?? 0] ?? 0);
  }
  return { ...mask, pixels };
}

function holesOf({ width, height, pixels }: Mask): Mask {
  const outside = new Uint8Array(pixels.length);
  const stack = new Int32Array(pixels.length);
  let depth = 0;
  const reach = (place: number) => {
    if (pixels[place] !== 0 || outside[place] !== 0) return;
    outside[place] = 1;
    stack[depth++] = place;
  };
  for (let x = 0; x < width; x++) {
    reach(x);
    reach((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    reach(y * width);
    reach((y + 1) * width - 1);
  }
  while (depth > 0) {
    const place = stack[--depth] ?? 0;
    const x = place % width;
    if (x > 0) reach(place - 1);
    if (x < width - 1) reach(place + 1);
    if (place >= width) reach(place - width);
    if (place < pixels.length - width) reach(place + width);
  }
  const holes = new Uint8Array(pixels.length);
  for (let place = 0; place < holes.length; place++) holes[place] = 1 - ((outside[place] ?? 0) | (pixels[place] ?? 0));
  return { width, height, pixels: holes };
}
