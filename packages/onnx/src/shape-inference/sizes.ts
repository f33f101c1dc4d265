import type { Dimension } from '../model.ts';

/** The shape of an element-wise result (ONNX, "Multidirectional Broadcasting"), as far as it is known. */
export function broadcastShapes(...shapes: readonly (readonly Dimension[] | null)[]): readonly Dimension[] | null {
  const ranked = shapes.filter((shape) => shape !== null);
  if (ranked.length < shapes.length) return null;
  const rank = Math.max(0, ...ranked.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) =>
    ranked
      .map((shape) => shape[axis - rank + shape.length] ?? (axis < rank - shape.length ? 1 : null))
      .reduce(together, 1),
  );
}

function together(first: Dimension, second: Dimension): Dimension {
  if (first === second || second === 1) return first;
  if (first === 1) return second;
  // A size that is not known is 1 or fits the known one.
  if (typeof first === 'number') return first;
  return typeof second === 'number' ? second : null;
}

/** `axis` counted from the front. */
export function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** first · second, where it is known. */
export function times(first: Dimension, second: Dimension): Dimension {
  if (typeof first === 'number' && typeof second === 'number') return first * second;
  if (first === 1) return second;
  return second === 1 ? first : null;
}

/** The number of elements of `shape`: its known sizes multiplied, and the sizes that are not known. */
function factors(shape: readonly Dimension[]): { known: number; open: Dimension[] } {
  const known = shape.filter((size) => typeof size === 'number').reduce((product, size) => product * size, 1);
  return { known, open: shape.filter((size) => typeof size !== 'number') };
}

/** The size that makes `rest` have as many elements as `whole`; symbols of both cancel. Null where it is not known. */
export function remainingSize(whole: readonly Dimension[], rest: readonly Dimension[]): Dimension {
  const from = factors(whole);
  const taken = factors(rest);
  for (const size of taken.open) {
    const place = size === null ? -1 : from.open.indexOf(size);
    if (place < 0) return null;
    from.open.splice(place, 1);
  }
  const quotient = from.known / taken.known;
  if (from.open.length === 0) return Number.isSafeInteger(quotient) ? quotient : null;
  return from.open.length === 1 && quotient === 1 ? (from.open[0] ?? null) : null;
}

/** The product of all sizes, where it is known. */
export function elementsOf(shape: readonly Dimension[]): Dimension {
  return remainingSize(shape, []);
}
