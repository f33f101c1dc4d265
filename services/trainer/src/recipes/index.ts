import { DomainError, parseRecipe, type Recipe, type RecipeSource } from '@atelier/domain';
import { ann128 } from './ann-128.ts';
import { ann12864 } from './ann-128-64.ts';
import { atelier } from './atelier.ts';
import { atelierPhotos } from './atelier-photos.ts';
import { deepBn } from './deep-bn.ts';
import { mlp12864 } from './mlp-128-64.ts';
import { mlpGelu } from './mlp-gelu.ts';

/** Each author's statement stays as it was made; what an author left open is ours and is said beside it. */
const SOURCES: readonly RecipeSource[] = [ann12864, mlpGelu, ann128, deepBn, mlp12864, atelierPhotos, atelier];

/** Every recipe we ship, by name, with its defaults filled in. */
export const RECIPES: ReadonlyMap<string, Recipe> = new Map(
  SOURCES.map((source) => [source.name, Object.freeze(parseRecipe(source))]),
);

/** A recipe by name; `unknown-recipe` lists the names there are. */
export function findRecipe(name: string): Recipe {
  const recipe = RECIPES.get(name);
  if (recipe !== undefined) return recipe;
  throw new DomainError('unknown-recipe', `No recipe "${name}"; there is: ${[...RECIPES.keys()].join(', ')}.`);
}
