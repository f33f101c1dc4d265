import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RecipeSource } from '@atelier/domain';
import { learningRates } from '@atelier/trainer';
import { smallRecipe } from '../../support/small-recipe.ts';

const STEPS = 10;

/** All rates of a training of `epochs` epochs at a peak of 1. */
function ratesOf(schedule: RecipeSource['schedule'], epochs: number, reductions = 0): number[] {
  const recipe = smallRecipe({ optimizer: { kind: 'sgd', learningRate: 1 }, epochs, schedule });
  return Array.from({ length: epochs }, (_, epoch) => [...learningRates(recipe, epoch, STEPS, reductions)]).flat();
}

describe('learning-rate schedules', () => {
  test('constant stays at the peak', () => {
    assert.deepEqual(ratesOf({ kind: 'constant' }, 3), new Array(30).fill(1));
  });

  test('step multiplies by its factor after every so many epochs', () => {
    const rates = ratesOf({ kind: 'step', everyEpochs: 2, factor: 0.5 }, 5);
    assert.deepEqual([rates[0], rates[19], rates[20], rates[39], rates[40]], [1, 1, 0.5, 0.5, 0.25]);
  });

  test('reduce-on-plateau multiplies by its factor for each reduction so far', () => {
    assert.deepEqual(ratesOf({ kind: 'reduce-on-plateau', factor: 0.5, patience: 2 }, 1, 3), new Array(10).fill(0.125));
  });

  test('cosine rises linearly in the warm-up, then falls to its final fraction and never below', () => {
    const rates = ratesOf({ kind: 'cosine', warmUpEpochs: 2, finalFraction: 0.1 }, 6);
    const close = (actual: number | undefined, expected: number) =>
      assert.ok(Math.abs((actual ?? NaN) - expected) < 1e-6);
    close(rates[0], 1 / 20);
    close(rates[9], 10 / 20);
    close(rates[19], 1);
    close(rates[20], 1);
    close(rates[40], 0.1 + 0.9 / 2); // half way down
    for (let step = 21; step < rates.length; step++) assert.ok((rates[step] ?? 0) < (rates[step - 1] ?? 0));
    assert.ok((rates.at(-1) ?? 0) > 0.1 && (rates.at(-1) ?? 1) < 0.11);
  });

  test("one-cycle rises and falls as PyTorch's OneCycleLR does with the same numbers", () => {
    // OneCycleLR(max_lr=1, total_steps=20, pct_start=0.25, div_factor=10, final_div_factor=100): the top is step 4.
    const schedule = { kind: 'one-cycle', warmUpShare: 0.25, initialFraction: 0.1, finalFraction: 0.001 } as const;
    const rates = ratesOf(schedule, 2);
    const expected = new Map([
      [0, 0.1],
      [1, 0.2318019485], // 1 − 0.9·(1 + cos 45°)/2
      [2, 0.55],
      [4, 1],
      [9, 0.7502499375], // a third of the way down: 0.001 + 0.999·(1 + cos 60°)/2
      [14, 0.2507500625], // two thirds
      [19, 0.001],
    ]);
    for (const [step, rate] of expected) {
      assert.ok(Math.abs((rates[step] ?? NaN) - rate) < 1e-6, `step ${step}: ${rates[step]}, expected ${rate}`);
    }
    assert.equal(Math.max(...rates), 1);
  });

  test('one-cycle begins at the peak where the rise is shorter than a step', () => {
    const rates = ratesOf({ kind: 'one-cycle', warmUpShare: 0, finalFraction: 0 }, 1);
    assert.equal(rates[0], 1);
    assert.equal(rates.at(-1), 0);
    for (let step = 1; step < rates.length; step++) assert.ok((rates[step] ?? 0) < (rates[step - 1] ?? 0));
  });
});
