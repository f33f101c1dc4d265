import { Recipe } from '@atelier/domain';
import { fieldList } from './field-list.ts';
import { withPart } from './generated-part.ts';

const MARKS = {
  begin: '<!-- Recipe fields: written from packages/domain/src/recipe.ts by `npm run generate:recipe-fields`. -->',
  end: '<!-- End of recipe fields. -->',
};

/** `document` with the list of a recipe's fields written anew between its two marks; without them it is a `RangeError`. */
export function withRecipeFields(document: string): string {
  return withPart(document, MARKS, fieldList(Recipe).join('\n'));
}
