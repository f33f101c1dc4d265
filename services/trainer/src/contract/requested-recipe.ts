import { DomainError, Recipe } from '@atelier/domain';
import { InvalidRequest, jsonPointer, type RequestFault } from '@atelier/http';
import type { NewRunBody } from './runs.ts';
import { findRecipe, RECIPES } from '../recipes/index.ts';

/**
 * The recipe that a request asks for, whole: a named or a custom one with the request's overrides and seed. Every field that
 * is wrong is pointed at where it stands in the request.
 */
export function requestedRecipe({
  recipe,
  overrides,
  seed,
}: Pick<NewRunBody, 'recipe' | 'overrides' | 'seed'>): Recipe {
  const source = typeof recipe === 'string' ? namedRecipe(recipe) : recipe;
  const merged = merge(source, seed === undefined ? overrides : { ...overrides, seed });
  const parsed = Recipe.safeParse(merged);
  if (parsed.success) return parsed.data;
  const place = (path: readonly PropertyKey[]): RequestFault['detail'] =>
    jsonPointer([placeOf(path, source, overrides), ...path]);
  const faults = parsed.error.issues.flatMap((issue): RequestFault[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: place([...issue.path, key]), detail: 'unknown field' }))
      : [{ pointer: place(issue.path), detail: issue.message }],
  );
  throw new InvalidRequest('The recipe does not match its schema.', faults);
}

/** A name that is not there is a fault of the request, not of its address. */
function namedRecipe(name: string): Recipe {
  if (RECIPES.has(name)) return findRecipe(name);
  const detail = `expected one of ${[...RECIPES.keys()].join(', ')}, or a whole recipe; came ${JSON.stringify(name.slice(0, 64))}`;
  throw new InvalidRequest('There is no such recipe.', [{ pointer: '/recipe', detail }]);
}

type Fields = Readonly<Record<string, unknown>>;

/** JSON Merge Patch (RFC 7396), except that an object of another `kind` has none of the fields of the one there was. */
function merge(target: Fields, patch: Fields): Fields {
  const merged: Record<string, unknown> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (name === '__proto__') throw new DomainError('invalid-recipe', 'A recipe has no field "__proto__".');
    const before = merged[name];
    if (value === null) delete merged[name];
    else if (isFields(value) && isFields(before) && isSameKind(before, value)) merged[name] = merge(before, value);
    else merged[name] = isFields(value) ? merge({}, value) : value;
  }
  return merged;
}

function isSameKind(before: Fields, after: Fields): boolean {
  return after['kind'] === undefined || after['kind'] === before['kind'];
}

/** Whether what is at `path` of the merged recipe comes from the overrides or, as `merge` goes, from the recipe. */
function placeOf(path: readonly PropertyKey[], source: Fields, overrides: Fields): 'overrides' | 'recipe' {
  let [before, patch] = [source, overrides];
  for (const key of path.map(String)) {
    if (!Object.hasOwn(patch, key)) return 'recipe';
    const [inner, change] = [before[key], patch[key]];
    if (!(isFields(change) && isFields(inner) && isSameKind(inner, change))) return 'overrides';
    [before, patch] = [inner, change];
  }
  return 'overrides';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
