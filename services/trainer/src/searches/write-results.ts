import { join } from 'node:path';
import { jsonFile } from '../runs/run-folder.ts';
import { writeWholeFile } from '../runs/whole-file.ts';
import { bestRecipe, type Looks, searchResults } from './results.ts';
import type { Search } from './search.ts';
import { searchFolder } from './search-folder.ts';
import { searchPage } from './search-page.ts';

export const BEST_RECIPE_FILE = 'best-recipe.json';
export const PAGE_FILE = 'search.html';

/** Writes `search.html` into a search's folder and, where a trial came to a result, `best-recipe.json`. */
export async function writeSearchResults(runsDirectory: string, search: Search, looks: Looks): Promise<void> {
  const directory = searchFolder(runsDirectory, search.id);
  const results = searchResults(search, looks);
  if (results.best !== null) {
    await writeWholeFile(join(directory, BEST_RECIPE_FILE), jsonFile(bestRecipe(search, results)));
  }
  await writeWholeFile(join(directory, PAGE_FILE), await searchPage(search, results));
}
