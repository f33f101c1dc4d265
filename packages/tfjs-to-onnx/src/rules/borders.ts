import { malformed } from '../errors.ts';
import type { LayerCall, Rule } from '../rule.ts';
import { shown } from '../settings.ts';
import { inputOfRank, isChannelsFirst } from './spatial-input.ts';

type Border = readonly [begin: number, end: number];

/** Zeros around the space of the input. */
export const zeroPadding =
  (axes: number): Rule =>
  (call) => {
    const { scope } = call;
    const input = inputOfRank(call, axes + 2);
    const borders = bordersOf(call, 'padding', axes);
    const [before, after] = isChannelsFirst(call) ? [2, 0] : [1, 1];
    const sides = [0, 1].map((side) => [
      ...new Array<number>(before).fill(0),
      ...borders.map((border) => border[side] ?? 0),
      ...new Array<number>(after).fill(0),
    ]);
    if (borders.flat().every((count) => count === 0)) return input;
    return scope.add('Pad', [input, scope.ints(sides.flat(), 'pads')], {}, 'padded');
  };

/** Takes so many elements off at either end of each axis of space. */
export const cropping =
  (axes: number): Rule =>
  (call) => {
    const { name, className, scope } = call;
    const input = inputOfRank(call, axes + 2);
    const borders = bordersOf(call, 'cropping', axes);
    const first = isChannelsFirst(call) ? 2 : 1;
    borders.forEach(([begin, end], axis) => {
      const size = input.shape[axis + first];
      if (typeof size !== 'number' || begin + end < size) return;
      throw malformed(
        `Layer "${name}" (${className}) takes ${begin} and ${end} elements off an axis of ${size}; expected some to stay.`,
      );
    });
    return scope.cropped(input, first, borders);
  };

/** One number for all, a number for each axis, or two for each axis; in one dimension a pair is the two ends. */
function bordersOf({ name, className, settings }: LayerCall, key: 'padding' | 'cropping', axes: number): Border[] {
  const found = settings.get(key) ?? 1;
  const isCount = (each: unknown): each is number => Number.isSafeInteger(each) && (each as number) >= 0;
  const isBorder = (each: unknown): each is Border => Array.isArray(each) && each.length === 2 && each.every(isCount);
  if (isCount(found)) return new Array<Border>(axes).fill([found, found]);
  if (axes === 1 && isBorder(found)) return [found];
  if (Array.isArray(found) && found.length === axes) {
    if (found.every(isCount)) return found.map((count) => [count, count]);
    if (found.every(isBorder)) return found;
  }
  throw malformed(
    `Layer "${name}" (${className}) has ${key} ${shown(found)}; expected a count, or one or two for each axis of space.`,
  );
}
