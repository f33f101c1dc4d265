import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InvalidRequest } from '@atelier/http';
import { RECIPES, requestedRecipe } from '@atelier/trainer';
import { smallLayer, smallRecipe } from '../../support/small-recipe.ts';

type Requested = Parameters<typeof requestedRecipe>[0];
type Overrides = Requested['overrides'];

/** Where a request is wrong. */
function pointersOf(request: Requested): string[] {
  let pointers: string[] = [];
  assert.throws(
    () => requestedRecipe(request),
    (error: InvalidRequest) => {
      assert.equal(error.code, 'invalid-request');
      pointers = error.faults.map((fault) => ('pointer' in fault ? fault.pointer : ''));
      return true;
    },
  );
  return pointers;
}

describe('a recipe that is asked for', () => {
  test('is the named one, and the given one, where nothing is overridden', () => {
    for (const [name, recipe] of RECIPES) {
      assert.deepEqual(requestedRecipe({ recipe: name, overrides: {} }), recipe);
      assert.deepEqual(requestedRecipe({ recipe, overrides: {} }), recipe);
    }
  });

  test('is any other one where every field is overridden by that', () => {
    for (const name of RECIPES.keys()) {
      for (const other of RECIPES.values()) {
        assert.deepEqual(requestedRecipe({ recipe: name, overrides: other }), other, `${name} by ${other.name}`);
      }
    }
  });

  test('changes neither the recipe nor the request', () => {
    const before = JSON.stringify([...RECIPES]);
    const overrides = { optimizer: { learningRate: 0.5 }, batchNormalization: { momentum: 0.5 }, weightDecay: null };
    const text = JSON.stringify(overrides);
    requestedRecipe({ recipe: 'deep-bn', overrides, seed: 3 });
    assert.equal(JSON.stringify([...RECIPES]), before);
    assert.equal(JSON.stringify(overrides), text);
  });

  test('takes a list as a whole: there are no places in it to merge into', () => {
    const hiddenLayers = [smallLayer({ units: 3 })];
    assert.deepEqual(requestedRecipe({ recipe: 'deep-bn', overrides: { hiddenLayers } }).hiddenLayers, hiddenLayers);
    const partial = { hiddenLayers: [{ units: 3 }] };
    assert.deepEqual(pointersOf({ recipe: 'deep-bn', overrides: partial }), [
      '/overrides/hiddenLayers/0/activation',
      '/overrides/hiddenLayers/0/batchNormalization',
      '/overrides/hiddenLayers/0/dropout',
    ]);
  });

  test("has the defaults of a kind that replaces another, and none of the other's fields", () => {
    const optimizer = { kind: 'momentum', learningRate: 0.1 };
    assert.deepEqual(requestedRecipe({ recipe: 'deep-bn', overrides: { optimizer } }).optimizer, {
      ...optimizer,
      momentum: 0.9,
      nesterov: false,
    });
    const decay = requestedRecipe({ recipe: 'deep-bn', overrides: { weightDecay: { kind: 'none' } } }).weightDecay;
    assert.deepEqual(decay, { kind: 'none' });
    assert.deepEqual(requestedRecipe({ recipe: 'deep-bn', overrides: { weightDecay: null } }).weightDecay, decay);
  });

  const faults: [title: string, overrides: Overrides, recipe: Requested['recipe'], pointers: string[]][] = [
    ['in the overrides', { epochs: 0 }, 'deep-bn', ['/overrides/epochs']],
    [
      'deep in the overrides',
      { augmentation: { shift: { pixels: -1 } } },
      'deep-bn',
      ['/overrides/augmentation/shift'],
    ],
    ['in the recipe', {}, { ...smallRecipe(), epochs: 0 }, ['/recipe/epochs']],
    [
      'in the recipe, beside what is overridden',
      { optimizer: { beta1: 0.5 } },
      { ...smallRecipe(), optimizer: { kind: 'adam', learningRate: -1 } },
      ['/recipe/optimizer/learningRate'],
    ],
    ['in both', { batchSize: 0 }, { ...smallRecipe(), seed: -1 }, ['/overrides/batchSize', '/recipe/seed']],
    ['where an override takes a field away', { name: null }, 'deep-bn', ['/overrides/name']],
    [
      'where an override of another kind lacks a field',
      { optimizer: { kind: 'sgd' } },
      'deep-bn',
      ['/overrides/optimizer/learningRate'],
    ],
    [
      'where a custom recipe lacks a field of what is overridden',
      { optimizer: { beta1: 0.5 } },
      { ...smallRecipe(), optimizer: { kind: 'adam' } },
      ['/recipe/optimizer/learningRate'],
    ],
    ['under a name with slashes and tildes', { 'a/b~c': 1 }, 'deep-bn', ['/overrides/a~1b~0c']],
  ];
  for (const [title, overrides, recipe, pointers] of faults) {
    test(`that is wrong ${title} is refused with the place in the request`, () => {
      assert.deepEqual(pointersOf({ recipe, overrides }), pointers);
    });
  }

  test('of no name that there is lists the names', () => {
    assert.throws(
      () => requestedRecipe({ recipe: 'constructor', overrides: {} }),
      (error: InvalidRequest) => {
        assert.match(
          JSON.stringify(error.faults),
          /\/recipe.*expected one of ann-128-64, .*, or a whole recipe; came /,
        );
        return true;
      },
    );
  });
});
