import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { trainingExamples } from '@atelier/trainer';
import { drawnExamples } from '../../support/drawn-examples.ts';
import { smallRecipe } from '../../support/small-recipe.ts';

const examples = drawnExamples(100);
const upTo = (count: number) => Uint32Array.from({ length: count }, (_, index) => index);
const data = { examples, train: upTo(80), validation: upTo(100).subarray(80) };

describe('the examples of an epoch', () => {
  test('are each training image once, with the target of its label', () => {
    const { count, images, targets } = trainingExamples(data, smallRecipe(), 1);
    assert.equal(count, 80);
    const keyed = (source: Uint8Array, labelOf: (index: number) => number) =>
      Array.from(
        { length: 80 },
        (_, index) =>
          `${labelOf(index)} ${Buffer.from(source.subarray(index * 784, index * 784 + 784)).toString('base64')}`,
      ).sort();
    assert.deepEqual(
      keyed(images, (index) => targets.subarray(index * 10, index * 10 + 10).indexOf(1)),
      keyed(examples.images, (index) => examples.labels[index] ?? NaN),
    );
  });

  test('come in another order and otherwise mirrored in every epoch, and the same in the same', () => {
    const recipe = smallRecipe({ augmentation: { mirrorProbability: 0.5 } });
    assert.deepEqual(trainingExamples(data, recipe, 1), trainingExamples(data, recipe, 1));
    assert.notDeepEqual(trainingExamples(data, recipe, 1).images, trainingExamples(data, recipe, 2).images);
  });

  test('are augmented as the recipe says, their targets mixed where their images are', () => {
    const augmentation = { shiftPixels: 2, rotationDegrees: 5, mixup: { alpha: 1 } };
    const plain = trainingExamples(data, smallRecipe(), 1);
    const changed = trainingExamples(data, smallRecipe({ augmentation }), 1);
    assert.notDeepEqual(changed.images, plain.images);
    assert.ok([...changed.targets].some((value) => value > 0.2 && value < 0.8));
  });

  test('have smoothed targets where the recipe smooths', () => {
    const { targets } = trainingExamples(data, smallRecipe({ loss: { labelSmoothing: 0.2 } }), 1);
    assert.deepEqual([...new Set(targets)].sort(), [Math.fround(0.02), Math.fround(0.82)]);
  });
});
