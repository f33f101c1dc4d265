import type { Recipe } from '@atelier/domain';
import type { JsonValue } from './space.ts';

/** Where a recipe has a field: the keys from the top, without stars. */
export type Place = readonly string[];

/** A pointer names nothing in a recipe; the message says what there is instead. */
export class NoSuchField extends Error {}

/** The steps of an RFC 6901 pointer, unescaped. */
export function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Every place that a pointer names in a recipe, one for each element where it has a star; `NoSuchField` where none. */
export function placesOf(recipe: Recipe, pointer: string): Place[] {
  return places(recipe, stepsOf(pointer), []);
}

/** The recipe with a value in every place that the pointer names; not checked as a recipe. `NoSuchField` as above. */
export function withValue<Source extends object>(recipe: Source, pointer: string, value: JsonValue): Source {
  return withValues(recipe, { [pointer]: value });
}

/** As `withValue`, for several pointers, one after the other. */
export function withValues<Source extends object>(recipe: Source, values: Readonly<Record<string, JsonValue>>): Source {
  const changed = structuredClone(recipe);
  for (const [pointer, value] of Object.entries(values)) {
    for (const place of places(changed, stepsOf(pointer), [])) {
      const holder = place.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], changed);
      (holder as Record<string, unknown>)[place.at(-1) ?? ''] = structuredClone(value);
    }
  }
  return changed;
}

function places(value: unknown, [step, ...rest]: readonly string[], above: Place): Place[] {
  if (step === undefined) return [above];
  if (step === '*' && Array.isArray(value)) {
    return value.flatMap((element, index) => places(element, rest, [...above, String(index)]));
  }
  const fields = Object.entries(value !== null && typeof value === 'object' ? value : {});
  const found = fields.find(([key]) => key === step);
  if (found === undefined) throw new NoSuchField(describeAbsence(value, step, above));
  return places(found[1], rest, [...above, step]);
}

function describeAbsence(value: unknown, step: string, above: Place): string {
  const holder = above.length === 0 ? 'the recipe' : `/${above.join('/')}`;
  if (value === null || typeof value !== 'object') {
    return `${holder} is ${JSON.stringify(value)} in this recipe, so it has no "${step}"`;
  }
  const names = Array.isArray(value) ? `0 to ${value.length - 1}, or * for all` : Object.keys(value).join(', ');
  return `${holder} has no "${step}"; it has ${names}`;
}
