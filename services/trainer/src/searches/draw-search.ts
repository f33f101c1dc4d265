import type { Recipe } from '@atelier/domain';
import { InvalidRequest, type RequestFault } from '@atelier/http';
import { newSearch, type Search, type SearchRequest } from './search.ts';

/** A new search, or why there is none: between processes an error would lose its faults. */
export type DrawnSearch = { search: Search } | { message: string; faults: RequestFault[] };

/** What `newSearch` makes, or the `invalid-request` that it throws as a value. */
export function drawSearch(request: SearchRequest, recipe: Recipe, parallel: number): DrawnSearch {
  try {
    return { search: newSearch(request, recipe, parallel) };
  } catch (error) {
    if (error instanceof InvalidRequest) return { message: error.message, faults: error.faults };
    throw error;
  }
}
