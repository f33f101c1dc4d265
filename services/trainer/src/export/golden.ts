import {
  CLASS_COUNT,
  type GoldenVectors,
  IMAGE_HEIGHT,
  IMAGE_WIDTH,
  MAXIMUM_PIXEL,
  PIXELS_PER_IMAGE,
} from '@atelier/domain';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { OnnxModel } from './onnx-model.ts';

/** Other processors and batch sizes sum in other orders; a wrong weight or scale is off by far more. */
const GOLDEN_TOLERANCE = 1e-4;

/** Brightness 0 to 1 at (x, y), both from -1 at the left and top edge to 1. */
type Drawing = (x: number, y: number) => number;

const inside = (condition: boolean): number => (condition ? 1 : 0);

/** Crude garments and patterns: synthetic, so that a manifest carries no photograph, and different in every region. */
const DRAWINGS: readonly Drawing[] = [
  () => 0,
  () => 1,
  (x) => (x + 1) / 2,
  (_, y) => (y + 1) / 2,
  (x, y) => inside(x ** 2 + y ** 2 < 0.6) * 0.8,
  (x, y) => inside(Math.floor(x * 7) % 2 === Math.floor(y * 7) % 2),
  (x, y) => inside(Math.abs(x) > 0.15 && Math.abs(x) < 0.55 && y > -0.9) * 0.7, // trousers
  (x, y) => inside((Math.abs(x) < 0.5 || y < -0.4) && Math.abs(y) < 0.9) * 0.6, // T-shirt
  (x, y) => inside(Math.abs(x) < 0.2 + (y + 1) * 0.25) * 0.5, // dress
  (x, y) => inside(y > 0.2 && y < 0.7 && x > -0.9 && y > 0.4 - x * 0.3) * 0.9, // shoe
  (x, y) =>
    inside(Math.abs(x) < 0.7 && y > -0.2 && y < 0.8) * 0.6 + inside(Math.abs(x ** 2 + y ** 2 - 0.3) < 0.05) * 0.4, // bag
  (x, y) => inside((x > 0 && x < 0.5) || (y > 0.5 && x > -0.8 && x < 0.5)) * 0.8, // boot
];

const NOISE_IMAGES = 4;

/** The pictures that every version answers before it is served, [16, 28, 28] uint8; the same on every machine. */
export function goldenImages(): Uint8Array {
  const generator = xoroshiro128plus(28);
  const noise: Drawing = () => uniformInt(generator, 0, MAXIMUM_PIXEL) / MAXIMUM_PIXEL;
  const drawings = [...DRAWINGS, ...new Array<Drawing>(NOISE_IMAGES).fill(noise)];
  const images = new Uint8Array(drawings.length * PIXELS_PER_IMAGE);
  drawings.forEach((drawing, index) => {
    for (let pixel = 0; pixel < PIXELS_PER_IMAGE; pixel++) {
      const x = ((pixel % IMAGE_WIDTH) / (IMAGE_WIDTH - 1)) * 2 - 1;
      const y = (Math.floor(pixel / IMAGE_WIDTH) / (IMAGE_HEIGHT - 1)) * 2 - 1;
      images[index * PIXELS_PER_IMAGE + pixel] = Math.round(Math.min(1, drawing(x, y)) * MAXIMUM_PIXEL);
    }
  });
  return images;
}

/** What `model` answers to the golden images, for the manifest. */
export async function goldenVectors(model: OnnxModel): Promise<GoldenVectors> {
  const images = goldenImages();
  const { probabilities, outlierScores } = await model.predict(images);
  const count = images.length / PIXELS_PER_IMAGE;
  const rows = Array.from({ length: count }, (_, row) => row);
  return {
    images: rows.map((row) =>
      Buffer.from(images.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE)).toString('base64'),
    ),
    probabilities: rows.map((row) => [...probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT)]),
    ...(outlierScores && { outlierScores: [...outlierScores] }),
    tolerance: GOLDEN_TOLERANCE,
  };
}
