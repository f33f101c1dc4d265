import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { Recipe } from '@atelier/domain';
import { withRecipeFields } from '../../../scripts/src/recipe-fields.ts';

const document = await readFile(new URL('../../../docs/training.md', import.meta.url), 'utf8');

describe('the fields of a recipe in docs/training.md', () => {
  test('are those of the code that is there now; else run `npm run generate:recipe-fields`', () => {
    assert.equal(document, withRecipeFields(document));
  });

  test('are all there, each with its range, its default and its sentence', () => {
    for (const name of Object.keys(Recipe.shape)) assert.match(document, new RegExp(`^- \`${name}\` \\(`, 'm'));
    assert.match(document, /^ {2}- `shiftPixels` \(number from 0 to 14, default `0`\): Farthest shift in pixels/m);
    assert.match(document, /^ {2}- kind `one-cycle`: .*OneCycleLR/m);
    assert.doesNotMatch(document, /undefined|NaN/); // a kind of schema that the list has no words for
  });

  test('are written only where the document has a place for them', () => {
    assert.throws(() => withRecipeFields('# Training'), { name: 'RangeError', message: /lacks the marks/ });
  });
});
