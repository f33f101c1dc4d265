import { DomainError, parseRecipe, type Recipe } from '@atelier/domain';
import { findRecipe } from '@atelier/trainer';
import type { WantedRun } from '../recipe-runs/kept-runs.ts';
import { type Contender, CONTENDERS } from './contenders.ts';

/** What of the comparison is to be run. */
export interface Selection {
  seeds: readonly number[];
  limit: number | null;
  /** Multiplies every recipe's epochs, rounded, at least one. */
  epochsScale: number;
}

/** The runs of a contender, one for each seed. */
export function wantedRuns(contender: Contender, { seeds, limit, epochsScale }: Selection): WantedRun[] {
  const recipe: Recipe = { ...findRecipe(contender.recipe), ...contender.change };
  const epochs = Math.max(1, Math.round(recipe.epochs * epochsScale));
  return seeds.map((seed) => ({ row: contender.name, recipe: parseRecipe({ ...recipe, epochs, seed }), limit }));
}

/** The contenders of these recipes; `unknown-recipe` for a name that there is no recipe of, or no row. */
export function contendersOf(recipes: readonly string[]): Contender[] {
  for (const name of recipes) {
    findRecipe(name);
    if (CONTENDERS.some(({ recipe }) => recipe === name)) continue;
    const message = `The comparison has no row for "${name}"; give it one in scripts/src/comparison/contenders.ts.`;
    throw new DomainError('unknown-recipe', message);
  }
  return CONTENDERS.filter(({ recipe }) => recipes.includes(recipe));
}
