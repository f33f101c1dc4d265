import type { Picture } from './picture.ts';

/** The mean over squares of 2·`radius` + 1, rounded; at the edges over what there is of them. [height, width] */
export function boxBlur({ width, height, pixels }: Picture, radius: number): Uint8Array {
  const rows = new Float32Array(pixels.length);
  for (let y = 0; y < height; y++) blurLine(pixels, rows, y * width, 1, width, radius);
  const both = new Float32Array(pixels.length);
  for (let x = 0; x < width; x++) blurLine(rows, both, x, width, height, radius);
  const rounded = new Uint8Array(both.length);
  for (let place = 0; place < both.length; place++) rounded[place] = (both[place] ?? 0) + 0.5;
  return rounded;
}

/** A row or a column: `length` values, `step` apart. */
function blurLine(
  from: Uint8Array | Float32Array,
  to: Float32Array,
  start: number,
  step: number,
  length: number,
  radius: number,
): void {
  let sum = 0;
  let count = 0;
  for (let index = -radius; index < length; index++) {
    const entering = index + radius;
    const leaving = index - radius - 1;
    if (entering < length) {
      sum += from[start + entering * step] ?? 0;
      count++;
    }
    if (leaving >= 0) {
      sum -= from[start + leaving * step] ?? 0;
      count--;
    }
    if (index >= 0) to[start + index * step] = sum / count;
  }
}
