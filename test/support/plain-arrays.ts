import type { Numbers } from './run-converted.ts';

/** Places in an array of `shape`, row-major. */
export function places(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, size) => all.flatMap((place) => Array.from({ length: size }, (_, index) => [...place, index])),
    [[]],
  );
}

/** The element at `place`; axes of size 1 have their only one. */
export function at({ shape, values }: Numbers, place: readonly number[]): number {
  const missing = place.length - shape.length;
  const offset = shape.reduce((sum, size, axis) => sum * size + (size === 1 ? 0 : (place[axis + missing] ?? NaN)), 0);
  return values[offset] ?? NaN;
}

/** An array whose elements are found one by one. */
export function filled(shape: readonly number[], valueAt: (place: readonly number[]) => number): Numbers {
  return { shape, values: places(shape).map(valueAt) };
}

/** The elements that share the place of `place` along all axes but `axes`. */
export function across(source: Numbers, place: readonly number[], axes: readonly number[]): number[] {
  return places(axes.map((axis) => source.shape[axis] ?? 1)).map((inner) =>
    at(
      source,
      place.map((index, axis) => (axes.includes(axis) ? (inner[axes.indexOf(axis)] ?? 0) : index)),
    ),
  );
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function variance(values: readonly number[]): number {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
}

/** Numbers that look drawn, and are the same every time: between -2 and 2. */
export function numbers(shape: readonly number[], seed = 1): Numbers {
  return filled(shape, (place) => {
    const offset = place.reduce((sum, index, axis) => sum * (shape[axis] ?? 1) + index, 0);
    const wave = Math.sin((offset + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return Math.fround(4 * (wave - Math.floor(wave)) - 2);
  });
}
