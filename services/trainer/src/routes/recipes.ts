import { methodNotAllowed } from '@atelier/http';
import { Router } from 'express';
import { z } from 'zod';
import { WholeRecipe } from '../contract/runs.ts';
import { findRecipe, RECIPES } from '../recipes/index.ts';

export const RecipesResponse = z.strictObject({ recipes: z.array(WholeRecipe) });
export type RecipesResponse = z.infer<typeof RecipesResponse>;

/** `GET /recipes` and `GET /recipes/<name>`: recipes with their defaults filled in. */
export function recipesRoute(): Router {
  const body: RecipesResponse = { recipes: [...RECIPES.values()] };
  const router = Router();
  router
    .route('/recipes')
    .get((_request, response) => void response.json(body))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/recipes/:name')
    .get((request, response) => void response.json(findRecipe(request.params.name.slice(0, 64))))
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
