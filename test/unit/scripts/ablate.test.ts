import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findRecipe } from '@atelier/trainer';
import { Ablation } from '../../../scripts/src/ablation/ablation.ts';
import { ablationPage } from '../../../scripts/src/ablation/render-ablation.ts';
import { addedParts, partsOf, variantRecipe, VARIANTS } from '../../../scripts/src/ablation/variants.ts';
import { MACHINE, measuredRunOf } from '../../support/measured-runs.ts';

const deepBn = findRecipe('deep-bn');

describe('an ablation', () => {
  test('has all eight combinations, from none to all', () => {
    assert.equal(VARIANTS.length, 8);
    assert.equal(VARIANTS[0]?.name, 'none');
    assert.equal(VARIANTS.at(-1)?.name, 'all');
    assert.equal(new Set(VARIANTS.map(({ name }) => name)).size, 8);
  });

  test('each variant has its parts and no other, a name of its own, and no early stopping', () => {
    for (const recipe of [deepBn, findRecipe('ann-128-64'), findRecipe('mlp-128-64')]) {
      const variants = VARIANTS.map((variant) => variantRecipe(recipe, variant, { epochs: 3, seed: 2 }));
      VARIANTS.forEach(({ parts }, index) => {
        const made = variants[index] ?? assert.fail();
        assert.deepEqual(partsOf(made), parts);
        assert.deepEqual([made.epochs, made.seed, made.earlyStopping], [3, 2, null]);
      });
      assert.equal(new Set(variants.map(({ name }) => name)).size, 8);
    }
  });

  test("a part that the recipe has is the recipe's own; one that it lacks is said to be ours", () => {
    const undecayed = { ...deepBn, weightDecay: { kind: 'none' } as const };
    const all = variantRecipe(undecayed, VARIANTS.at(-1) ?? assert.fail(), { epochs: 1, seed: 1 });
    assert.deepEqual(all.hiddenLayers, deepBn.hiddenLayers);
    assert.deepEqual(addedParts(undecayed).length, 1);
    assert.match(addedParts(undecayed)[0] ?? '', /no weight decay.*decoupled, 0\.05, on kernels/);
    assert.deepEqual(addedParts(deepBn), []);
    assert.deepEqual(addedParts(findRecipe('ann-128-64')), []);
  });

  test('its page sets train against validation, with two charts named after it, and shows no test figure', () => {
    const runs = VARIANTS.flatMap((variant, index) =>
      [1, 2].map((seed) => {
        const recipe = variantRecipe(deepBn, variant, { epochs: 3, seed });
        const accuracy = { train: 0.99 - index / 100, validation: 0.9, test: 0.1234 };
        return measuredRunOf(variant.name, recipe, accuracy);
      }),
    );
    const ablation = Ablation.parse({
      ...{ writtenAt: '2026-01-31T12:00:00.000Z', machine: MACHINE, recipe: deepBn, epochs: 3, seeds: [1, 2] },
      ...{ limit: null, runs },
    });
    const { markdown, charts } = ablationPage(ablation, 'ablation');
    assert.match(markdown, /\| none +\| 99\.00 % \| 90\.00 % +\| 9\.00 points +\| 0\.500 +\| 0\.600/);
    assert.match(markdown, /\| all +\| 92\.00 % \| 90\.00 % +\| 2\.00 points/);
    assert.deepEqual(
      charts.map(({ name }) => name),
      ['ablation-accuracy', 'ablation-loss'],
    );
    for (const { name } of charts) assert.ok(markdown.includes(`(${name}.svg)`), name);
    assert.doesNotMatch(markdown, /12\.34/);
  });
});
