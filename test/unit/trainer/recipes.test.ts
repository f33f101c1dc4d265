import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRecipe } from '@atelier/domain';
import { findRecipe, RECIPES } from '@atelier/trainer';

describe('recipes', () => {
  test('one for each author and one of our own, in this order', () => {
    assert.deepEqual(
      [...RECIPES.keys()],
      ['ann-128-64', 'mlp-gelu', 'ann-128', 'deep-bn', 'mlp-128-64', 'atelier-photos', 'atelier'],
    );
  });

  test('what an author named stands in the recipe', () => {
    const layers = (name: string) =>
      findRecipe(name).hiddenLayers.map(({ units, activation }) => `${units} ${activation}`);
    assert.deepEqual(layers('ann-128-64'), ['128 relu', '64 relu']);
    assert.deepEqual(findRecipe('ann-128-64').optimizer, { kind: 'sgd', learningRate: 0.01 });
    assert.deepEqual(findRecipe('ann-128-64').weightDecay, { kind: 'l2', rate: 1e-4, appliesTo: 'all' });
    assert.deepEqual(layers('mlp-gelu'), ['384 gelu', '256 gelu', '128 gelu']);
    const gelu = findRecipe('mlp-gelu');
    assert.deepEqual(
      gelu.hiddenLayers.map((layer) => layer.batchNormalization),
      ['after-activation', 'after-activation', 'none'],
    );
    assert.ok(gelu.hiddenLayers.every(({ dropout }) => dropout > 0));
    assert.deepEqual(
      [gelu.batchSize, gelu.epochs, gelu.validationShare, gelu.weightDecay.kind],
      [64, 30, 0.2, 'decoupled'],
    );
    assert.ok(gelu.earlyStopping);
    assert.deepEqual(layers('ann-128'), ['128 relu']);
    assert.deepEqual([findRecipe('ann-128').optimizer.kind, findRecipe('ann-128').epochs], ['adam', 7]);
    assert.deepEqual(layers('deep-bn'), ['512 relu', '256 relu', '128 relu']);
    assert.ok(
      findRecipe('deep-bn').hiddenLayers.every(({ batchNormalization }) => batchNormalization === 'before-activation'),
    );
    assert.ok(findRecipe('deep-bn').earlyStopping && findRecipe('deep-bn').schedule.kind !== 'constant');
    const plain = findRecipe('mlp-128-64');
    assert.deepEqual(layers('mlp-128-64'), ['128 relu', '64 relu']);
    assert.deepEqual(
      [plain.optimizer.kind, plain.optimizer.learningRate, plain.batchSize, plain.epochs],
      ['adam', 0.001, 32, 10],
    );
    assert.deepEqual(plain.inputRange, [-1, 1]);
    assert.ok(
      plain.hiddenLayers.every(({ dropout, batchNormalization }) => dropout === 0 && batchNormalization === 'none'),
    );
  });

  test('an unknown recipe is refused with the list of those there are', () => {
    assert.throws(() => findRecipe('resnet'), {
      code: 'unknown-recipe',
      message: /"resnet".*ann-128-64, mlp-gelu.*atelier/,
    });
  });

  test('a recipe that cannot be built is refused, each field by name', () => {
    const broken = { ...findRecipe('ann-128'), epochs: 0, optimizer: { kind: 'lion', learningRate: 1 }, layers: 3 };
    assert.throws(
      () => parseRecipe(broken),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'invalid-recipe');
        for (const field of ['epochs', 'optimizer', 'layers']) assert.match(error.message, new RegExp(field));
        return true;
      },
    );
  });
});
