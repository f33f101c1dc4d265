import { decimal } from '@atelier/reports';
import type { Dimension, JsonValue } from './space.ts';

/** For each pointer its last steps, as few as tell it from the others: `learningRate`, `0/units` and `1/units`. */
export function shortNames(pointers: readonly string[]): string[] {
  const tail = (pointer: string, steps: number) => pointer.split('/').slice(1).slice(-steps).join('/');
  return pointers.map((pointer) => {
    const others = pointers.filter((other) => other !== pointer);
    let steps = 1;
    while (steps < pointer.length && others.some((other) => tail(other, steps) === tail(pointer, steps))) steps++;
    return tail(pointer, steps);
  });
}

/** A value of a trial for people: numbers with four significant digits, `{ kind: 'cosine', warmUpEpochs: 1 }` in words. */
export function valueText(value: JsonValue | undefined): string {
  if (typeof value === 'number') return decimal(value);
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (value === null || typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([field, inner]) => (field === 'kind' ? valueText(inner) : `${field} ${valueText(inner)}`))
    .join(' ');
}

/** `0.0002 to 0.02, by orders of magnitude`. */
export function dimensionText(dimension: Dimension): string {
  if (dimension.kind === 'choice') return dimension.values.map(valueText).join(', ');
  const ends = `${decimal(dimension.minimum)} to ${decimal(dimension.maximum)}`;
  return { uniform: ends, 'log-uniform': `${ends}, by orders of magnitude`, integer: `${ends}, integers` }[
    dimension.kind
  ];
}
