import { MAXIMUM_PIXEL } from '@atelier/domain';
import type { Picture } from './picture.ts';

/** What the darkest and the lightest twentieth are is left to chance: dust, reflections. */
const TAIL = 0.05;

/** A smaller range than this is noise, and is not made more than it is. */
const LEAST_RANGE = 64;

/** The picture with its darkest tones at 0 and, where it has a range worth speaking of, its lightest at 255. */
export function stretched(picture: Picture): Picture {
  const sorted = picture.pixels.toSorted();
  const darkest = sorted[Math.floor(TAIL * (sorted.length - 1))] ?? 0;
  const lightest = sorted[Math.ceil((1 - TAIL) * (sorted.length - 1))] ?? 0;
  const gain = MAXIMUM_PIXEL / Math.max(LEAST_RANGE, lightest - darkest);
  const tones = Uint8Array.from({ length: MAXIMUM_PIXEL + 1 }, (_, tone) =>
    Math.min(MAXIMUM_PIXEL, Math.max(0, Math.round(gain * (tone - darkest)))),
  );
  return { ...picture, pixels: picture.pixels.map((tone) => tones[tone] ?? 0) };
}
