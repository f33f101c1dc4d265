import { readFile } from 'node:fs/promises';
import { messageOf, parseRecipe, type Recipe } from '@atelier/domain';
import { findRecipe } from '@atelier/trainer';

/** The recipe of a name, or of a JSON file whose name ends in .json, such as a search writes. */
export async function recipeFrom(nameOrFile: string): Promise<Recipe> {
  return nameOrFile.endsWith('.json') ? parseRecipe(await readJson(nameOrFile)) : findRecipe(nameOrFile);
}

export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path} cannot be read as JSON: ${messageOf(cause)}`, { cause });
  }
}
