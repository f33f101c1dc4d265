import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@atelier/domain';
import { methodNotAllowed } from '@atelier/http';
import { type Response, Router } from 'express';
import { requestedRecipe } from '../contract/requested-recipe.ts';
import { NewSearchBody, type SearchesList, type SearchResource } from '../contract/searches.ts';
import type { SearchResults } from '../searches/results.ts';
import { bestRecipe } from '../searches/results.ts';
import { searchFolder } from '../searches/search-folder.ts';
import type { Search } from '../searches/search.ts';
import type { Searches } from '../searches/searches.ts';
import { PAGE_FILE } from '../searches/write-results.ts';
import { type FindMachines, requireDevice } from '../supervision/known-devices.ts';
import { jsonBody } from './json-body.ts';
import { PAGE_POLICY } from './page-policy.ts';

export interface SearchesRouteParts {
  searches: Searches;
  findMachines: FindMachines;
  runsDirectory: string;
  maximumBodyBytes: number;
}

/** `/searches` and what they come to. */
export function searchesRoute({ searches, findMachines, runsDirectory, maximumBodyBytes }: SearchesRouteParts): Router {
  const router = Router();
  const described = async (id: string): Promise<SearchResource> => {
    const { search, results } = await searches.find(id);
    return searchResource(search, results);
  };
  router
    .route('/searches')
    .get(async (_request, response) => {
      const { searches: found, damaged } = await searches.list();
      const list: SearchesList = {
        searches: found.map(({ id, state, createdAt, endedAt, error }) => ({ id, state, createdAt, endedAt, error })),
        damaged: damaged.map(({ id, error }) => ({ id, message: error.message })),
      };
      response.json(list);
    })
    .post(async (request, response) => {
      const { overrides, recipe: source, ...body } = await jsonBody(request, NewSearchBody, maximumBodyBytes);
      const recipe = requestedRecipe({ recipe: source, overrides, seed: undefined });
      if (body.engine !== 'auto' || body.device !== 'auto') {
        requireDevice(await findMachines(), body.engine, body.device);
      }
      const { id } = await searches.submit({ ...body, recipe }, recipe);
      response
        .status(202)
        .location(`/searches/${id}`)
        .json(await described(id));
    })
    .all(methodNotAllowed('GET', 'HEAD', 'POST'));

  router
    .route('/searches/:id')
    .get(async (request, response) => {
      response.json(await described(request.params.id));
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  router
    .route('/searches/:id/cancel')
    .post(async (request, response) => {
      await searches.cancel(request.params.id);
      response.json(await described(request.params.id));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/searches/:id/best-recipe')
    .get(async (request, response) => {
      const { search, results } = await searches.find(request.params.id);
      response.json(bestRecipe(search, results));
    })
    .all(methodNotAllowed('GET', 'HEAD'));

  router
    .route('/searches/:id/report')
    .get(async (request, response) => {
      const { search } = await searches.find(request.params.id);
      await sendPage(response, search, runsDirectory);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

function searchResource(search: Search, { trials, epochs, fullEpochs, seconds }: SearchResults): SearchResource {
  return { ...search, trials: [...trials], epochs, fullEpochs, seconds };
}

/** The page is there once the search has ended. */
async function sendPage(response: Response, { id, state }: Search, runsDirectory: string): Promise<void> {
  const page = await readFile(join(searchFolder(runsDirectory, id), PAGE_FILE)).catch(() => null);
  if (page === null) throw new DomainError('search-unfinished', `Search ${id} is ${state} and has no report yet.`);
  response.set('Content-Security-Policy', PAGE_POLICY).type('html').send(page);
}
