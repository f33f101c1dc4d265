/** JSON without spaces and with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

export interface Difference {
  /** `recipe.hiddenLayers.0.units` */
  path: string;
  /** As JSON; "nothing" where one side lacks the field. */
  expected: string;
  found: string;
}

/** The first place where two values of JSON differ, or null. */
export function firstDifference(expected: unknown, found: unknown, path: string): Difference | null {
  if (isTree(expected) && isTree(found)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      const difference = firstDifference(expected[key], found[key], `${path}.${key}`);
      if (difference !== null) return difference;
    }
    return null;
  }
  return Object.is(expected, found) ? null : { path, expected: shown(expected), found: shown(found) };
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : canonicalJson(value);
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isTree(value) && !Array.isArray(value);
}
