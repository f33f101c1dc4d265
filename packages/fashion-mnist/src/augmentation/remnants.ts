import { IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { AugmentationStep } from './step.ts';

/** Darker pixels are background, behind which there is nothing. */
const GARMENT = 16;

/** As many as a body has parts beside a garment: a head, arms, legs. */
const MOST_PIECES = 3;

/** Edges of a piece, in pixels. */
const SHORTEST = 2;
const LONGEST = 16;

/** How small a garment becomes that shares its image with something else. */
const SMALLEST_SIZE = 0.55;

/**
 * Makes garments smaller and puts pieces of grey behind them: what is left when a photo's background, or the body in a
 * garment, was not removed.
 */
export const remnants: AugmentationStep = {
  isAsked: ({ remnantProbability }) => remnantProbability > 0,
  apply({ images }, { remnantProbability }, generator) {
    for (let start = 0; start < images.length; start += PIXELS_PER_IMAGE) {
      const isChanged = uniformFloat64(generator) < remnantProbability;
      const size = SMALLEST_SIZE + (1 - SMALLEST_SIZE) * uniformFloat64(generator);
      const [right, down] = [uniformFloat64(generator), uniformFloat64(generator)];
      const count = 1 + Math.floor(uniformFloat64(generator) * MOST_PIECES);
      const image = images.subarray(start, start + PIXELS_PER_IMAGE);
      if (isChanged) shrink(image, size, right * IMAGE_WIDTH * (1 - size), down * IMAGE_HEIGHT * (1 - size));
      for (let index = 0; index < MOST_PIECES; index++) {
        const piece = drawPiece(generator);
        if (isChanged && index < count) paintBehind(image, piece);
      }
    }
  },
};

/** To `size` of what it was, `left` and `top` pixels from the corner; between pixels the level is interpolated. */
function shrink(image: Uint8Array, size: number, left: number, top: number): void {
  const source = image.slice();
  const levelAt = (x: number, y: number) =>
    x < 0 || y < 0 || x >= IMAGE_WIDTH || y >= IMAGE_HEIGHT ? 0 : (source[y * IMAGE_WIDTH + x] ?? 0);
  for (let row = 0; row < IMAGE_HEIGHT; row++) {
    for (let column = 0; column < IMAGE_WIDTH; column++) {
      const [x, y] = [(column + 0.5 - left) / size - 0.5, (row + 0.5 - top) / size - 0.5];
      const [west, north] = [Math.floor(x), Math.floor(y)];
      const [east, south] = [x - west, y - north];
      const upper = levelAt(west, north) * (1 - east) + levelAt(west + 1, north) * east;
      const lower = levelAt(west, north + 1) * (1 - east) + levelAt(west + 1, north + 1) * east;
      image[row * IMAGE_WIDTH + column] = Math.round(upper * (1 - south) + lower * south);
    }
  }
}

interface Piece {
  top: number;
  left: number;
  width: number;
  height: number;
  level: number;
  isRound: boolean;
}

/** Anywhere, partly outside too. */
function drawPiece(generator: RandomGenerator): Piece {
  const between = (low: number, high: number) => low + (high - low) * uniformFloat64(generator);
  const width = between(SHORTEST, LONGEST);
  const height = between(SHORTEST, LONGEST);
  return {
    width,
    height,
    left: between(-width / 2, IMAGE_WIDTH - width / 2),
    top: between(-height / 2, IMAGE_HEIGHT - height / 2),
    level: Math.round(between(2 * GARMENT, 255)),
    isRound: uniformFloat64(generator) < 0.5,
  };
}

function paintBehind(image: Uint8Array, { top, left, width, height, level, isRound }: Piece): void {
  for (let row = Math.max(0, Math.ceil(top)); row < Math.min(IMAGE_HEIGHT, top + height); row++) {
    for (let column = Math.max(0, Math.ceil(left)); column < Math.min(IMAGE_WIDTH, left + width); column++) {
      const [x, y] = [(2 * (column - left)) / width - 1, (2 * (row - top)) / height - 1];
      const pixel = row * IMAGE_WIDTH + column;
      if ((image[pixel] ?? 0) < GARMENT && !(isRound && x * x + y * y > 1)) image[pixel] = level;
    }
  }
}
