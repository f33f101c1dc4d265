import { Recipe } from '@atelier/domain';
import { methodNotAllowed } from '@atelier/http';
import { Router } from 'express';
import { z } from 'zod';

export const RecipesResponse = z.strictObject({ recipes: z.array(Recipe) });
export type RecipesResponse = z.infer<typeof RecipesResponse>;

/** `GET /recipes`: every recipe with its defaults filled in. */
export function recipesRoute(recipes: Iterable<Recipe>): Router {
  const body: RecipesResponse = { recipes: [...recipes] };
  const router = Router();
  router
    .route('/recipes')
    .get((_request, response) => void response.json(body))
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}
