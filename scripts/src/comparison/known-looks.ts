import type { TestLook } from '@atelier/trainer';
import { z } from 'zod';
import { readTextIfThere } from '../files.ts';

/** Runs whose test number was computed, by recipe: what is committed of every machine's `test-looks.ndjson`. */
export const KnownLooks = z.record(z.string(), z.array(z.string()));
export type KnownLooks = z.infer<typeof KnownLooks>;

/** None where there is no such file. */
export async function readKnownLooks(path: string): Promise<KnownLooks> {
  return KnownLooks.parse(JSON.parse((await readTextIfThere(path)) ?? '{}'));
}

/** Each run once, recipes and runs in the order of their names. */
export function withLooks(known: KnownLooks, looks: readonly TestLook[]): KnownLooks {
  const recipes = [...new Set([...Object.keys(known), ...looks.map(({ recipe }) => recipe)])].sort();
  return Object.fromEntries(
    recipes.map((name) => {
      const runs = looks.filter(({ recipe }) => recipe === name).map(({ run }) => run);
      return [name, [...new Set([...(known[name] ?? []), ...runs])].sort()];
    }),
  );
}
