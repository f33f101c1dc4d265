// `npm run generate:recipe-fields`: writes the list of a recipe's fields in docs/training.md anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { register } from 'tsx/esm/api';

register();
const { withRecipeFields } = await import('./src/recipe-fields.ts');
const file = new URL('../docs/training.md', import.meta.url);
writeFileSync(file, withRecipeFields(readFileSync(file, 'utf8')));
