import { PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Examples } from '@atelier/fashion-mnist';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * Examples that a small network learns in a few steps: class k is a bright band of rows on noise. Labels run 0 to 9 and
 * again; `wrongShare` of them are drawn at random instead, which no network can learn.
 */
export function drawnExamples(count: number, seed = 1, wrongShare = 0): Examples {
  const generator = xoroshiro128plus(seed);
  const images = new Uint8Array(count * PIXELS_PER_IMAGE);
  const labels = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const band = index % 10;
    labels[index] = uniformInt(generator, 0, 999) < wrongShare * 1000 ? uniformInt(generator, 0, 9) : band;
    for (let pixel = 0; pixel < PIXELS_PER_IMAGE; pixel++) {
      const bright = Math.floor(pixel / 28 / 2.8) === band ? 150 : 0;
      images[index * PIXELS_PER_IMAGE + pixel] = bright + uniformInt(generator, 0, 100);
    }
  }
  return { images, labels, count };
}
