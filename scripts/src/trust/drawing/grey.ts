import { IMAGE_HEIGHT, IMAGE_WIDTH, MAXIMUM_PIXEL, PIXELS_PER_IMAGE } from '@atelier/domain';

/** A grey picture, row-major, 0 to 255 and not rounded. */
export interface Grey {
  width: number;
  height: number;
  values: Float64Array;
}

/** An image [28, 28] with the brightness of each place, 0 to 255, which is rounded and kept within that. */
export function drawn(brightness: (x: number, y: number) => number): Uint8Array {
  const image = new Uint8Array(PIXELS_PER_IMAGE);
  for (let y = 0; y < IMAGE_HEIGHT; y++) {
    for (let x = 0; x < IMAGE_WIDTH; x++) image[y * IMAGE_WIDTH + x] = byteOf(brightness(x, y));
  }
  return image;
}

function byteOf(value: number): number {
  return Math.round(Math.min(MAXIMUM_PIXEL, Math.max(0, value)));
}

/**
 * What is not black of a picture, its longer edge scaled to `edge` pixels by averaging and as bright as it can be, on black and
 * moved from the centre by `offset`: the form that images have after the service's preparation, and with 20 pixels that of
 * MNIST. Null for a picture that is black.
 */
export function fitted(picture: Grey, edge: number, offset: readonly [number, number] = [0, 0]): Uint8Array | null {
  const box = boxOf(picture);
  if (box === null) return null;
  const scale = Math.max(box.width, box.height) / edge;
  const [width, height] = [Math.max(1, Math.round(box.width / scale)), Math.max(1, Math.round(box.height / scale))];
  const [left, top] = [Math.floor((IMAGE_WIDTH - width) / 2), Math.floor((IMAGE_HEIGHT - height) / 2)];
  const small = new Float64Array(PIXELS_PER_IMAGE);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = [within(left + offset[0], width) + x, within(top + offset[1], height) + y];
      const cell = { left: box.left + x * scale, top: box.top + y * scale, size: scale };
      small[row * IMAGE_WIDTH + column] = meanOf(picture, cell);
    }
  }
  const brightest = small.reduce((most, value) => Math.max(most, value), 0);
  return drawn((x, y) => ((small[y * IMAGE_WIDTH + x] ?? 0) * MAXIMUM_PIXEL) / brightest);
}

/** Each pixel averaged with its neighbours, the nearer the more (a binomial filter), as often as said. */
export function blurred(image: Uint8Array, times: number): Uint8Array {
  const weights = [1, 2, 1];
  let last = image;
  for (let time = 0; time < times; time++) {
    const before = last;
    last = drawn((x, y) => {
      let sum = 0;
      weights.forEach((vertical, row) =>
        weights.forEach((horizontal, column) => {
          sum += vertical * horizontal * valueAt(before, x + column - 1, y + row - 1);
        }),
      );
      return sum / 16;
    });
  }
  return last;
}

function valueAt(image: Uint8Array, x: number, y: number): number {
  return x < 0 || y < 0 || x >= IMAGE_WIDTH || y >= IMAGE_HEIGHT ? 0 : (image[y * IMAGE_WIDTH + x] ?? 0);
}

function within(start: number, length: number): number {
  return Math.min(Math.max(0, start), IMAGE_WIDTH - length);
}

/** What is brighter than an edge's shadow. */
function boxOf({ width, height, values }: Grey) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((values[y * width + x] ?? 0) < 20) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function meanOf({ width, height, values }: Grey, cell: { left: number; top: number; size: number }): number {
  const [fromX, toX] = [Math.floor(cell.left), Math.max(Math.floor(cell.left) + 1, Math.round(cell.left + cell.size))];
  const [fromY, toY] = [Math.floor(cell.top), Math.max(Math.floor(cell.top) + 1, Math.round(cell.top + cell.size))];
  let [sum, count] = [0, 0];
  for (let y = fromY; y < Math.min(toY, height); y++) {
    for (let x = fromX; x < Math.min(toX, width); x++, count++) sum += values[y * width + x] ?? 0;
  }
  return count === 0 ? 0 : sum / count;
}
