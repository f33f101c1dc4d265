import type { Mask } from './picture.ts';

/**
 * The mask without what is thinner than 2·`radius` + 1: an erosion and a dilation by that square (J. Serra, Image Analysis and
 * Mathematical Morphology, 1982). Beyond the picture there is nothing.
 */
export function opened(mask: Mask, radius: number): Mask {
  return spread(spread(mask, radius, 0), radius, 1);
}

/** Each pixel becomes `value` where one of that value lies within `radius` of it, over rows and then columns. */
function spread({ width, height, pixels }: Mask, radius: number, value: 0 | 1): Mask {
  const rows = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++)
    spreadLine(pixels, rows, { start: y * width, step: 1, length: width }, radius, value);
  const both = new Uint8Array(pixels.length);
  for (let x = 0; x < width; x++) spreadLine(rows, both, { start: x, step: width, length: height }, radius, value);
  return { width, height, pixels: both };
}

interface Line {
  start: number;
  step: number;
  length: number;
}

function spreadLine(
  from: Uint8Array,
  to: Uint8Array,
  { start, step, length }: Line,
  radius: number,
  value: 0 | 1,
): void {
  // Where the value was met last, and where it reaches to: once forwards, then once backwards.
  const edge = value === 0 ? -1 : -Infinity;
  let last = edge;
  for (let index = 0; index < length; index++) {
    if (from[start + index * step] === value) last = index;
    to[start + index * step] = index - last <= radius ? value : 1 - value;
  }
  last = value === 0 ? length : Infinity;
  for (let index = length - 1; index >= 0; index--) {
    if (from[start + index * step] === value) last = index;
    if (last - index <= radius) to[start + index * step] = value;
  }
}
