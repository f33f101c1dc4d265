import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recipe, RecipeSource } from '@atelier/domain';
import { sliceTraining, withTargets } from '@atelier/fashion-mnist';
import type { TrainingEngine } from '@atelier/trainer';
import { drawnExamples } from './drawn-examples.ts';
import {
  assertClose,
  assertNear,
  assertSameState,
  distance,
  isTrained,
  STEP_TOLERANCE,
  valueAt,
} from './engine-states.ts';
import { smallRecipe } from './small-recipe.ts';

/** Two whole batches and one of seven. */
const examples = withTargets(drawnExamples(47), 0);
const oneBatch = sliceTraining(examples, 0, 20);

/** How far a step goes: learning rates, decay, clipping and averages. */
export function testOptimizerSteps(
  engineFor: (recipe: Recipe) => Promise<TrainingEngine>,
  optimizers: readonly RecipeSource['optimizer'][],
): void {
  for (const optimizer of optimizers) {
    test(`takes steps of changing rates in one call as it takes them one by one with ${optimizer.kind}`, async () => {
      const recipe = smallRecipe({
        optimizer,
        weightDecay: { kind: 'decoupled', rate: 0.5, appliesTo: 'kernels' },
        weightAveraging: { decay: 0.9 },
      });
      const learningRates = Float32Array.of(0.01, 0.03, 0.002);
      const [whole, single] = [await engineFor(recipe), await engineFor(recipe)];
      const losses = await whole.train(examples, learningRates);
      const expected: number[] = [];
      for (const [start, end] of [
        [0, 20],
        [20, 40],
        [40, 47],
      ] as const) {
        const rate = learningRates.subarray(expected.length, expected.length + 1);
        expected.push(...(await single.train(sliceTraining(examples, start, end), rate)));
      }
      assert.deepEqual([...losses], expected);
      assertSameState(await whole.snapshot(), await single.snapshot());
    });

    test(`moves twice as far at twice the rate, whatever the recipe's, with ${optimizer.kind}`, async () => {
      const engine = await engineFor(smallRecipe({ optimizer }));
      const initial = await engine.snapshot();
      const stepAt = async (rate: number) => {
        await engine.restore(initial);
        await engine.train(oneBatch, Float32Array.of(rate));
        return engine.snapshot();
      };
      const [once, twice] = [await stepAt(0.004), await stepAt(0.008)];
      assert.ok(distance(initial, once) > 1e-3, 'the step moves the weights');
      assertClose(twice, (name, index) => {
        const [before, after] = [valueAt(initial, name, index), valueAt(once, name, index)];
        return isTrained(name) ? before + 2 * (after - before) : after;
      });
    });
  }

  test('shrinks weights by decoupled decay as the learning rate and the rate say', async () => {
    const plain = { optimizer: { kind: 'sgd' as const, learningRate: 0.1 } };
    const free = await oneStep(engineFor, smallRecipe(plain));
    const decayed = await oneStep(
      engineFor,
      smallRecipe({ ...plain, weightDecay: { kind: 'decoupled', rate: 0.5, appliesTo: 'kernels' } }),
    );
    assertClose(decayed.after, (name, index) => {
      const initial = name.endsWith('/kernel') ? valueAt(free.before, name, index) : 0;
      return valueAt(free.after, name, index) - 0.1 * 0.5 * initial;
    });
  });

  test('adds an L2 term to every gradient, which for plain SGD is decay by learning rate times rate', async () => {
    const plain = { optimizer: { kind: 'sgd' as const, learningRate: 0.1 }, initializer: 'torch-linear' as const };
    const free = await oneStep(engineFor, smallRecipe(plain));
    const decayed = await oneStep(
      engineFor,
      smallRecipe({ ...plain, weightDecay: { kind: 'l2', rate: 0.5, appliesTo: 'all' } }),
    );
    assertClose(decayed.after, (name, index) => {
      const trained = !name.includes('/moving_');
      return valueAt(free.after, name, index) - (trained ? 0.1 * 0.5 * valueAt(free.before, name, index) : 0);
    });
  });

  test('clips gradients to a common norm, and leaves shorter ones alone', async () => {
    const plain = { optimizer: { kind: 'sgd' as const, learningRate: 0.1 } };
    const free = await oneStep(engineFor, smallRecipe(plain));
    const norm = distance(free.before, free.after) / 0.1;
    const clipped = await oneStep(engineFor, smallRecipe({ ...plain, gradientClipping: { globalNorm: norm / 4 } }));
    assertClose(clipped.after, (name, index) => {
      const move = valueAt(free.after, name, index) - valueAt(free.before, name, index);
      return valueAt(free.before, name, index) + (isTrained(name) ? move / 4 : move);
    });
    const loose = await oneStep(engineFor, smallRecipe({ ...plain, gradientClipping: { globalNorm: norm * 1.01 } }));
    assertClose(loose.after, (name, index) => valueAt(free.after, name, index));
  });

  test('clips gradients of the loss, to which an L2 term is added unclipped', async () => {
    const plain = { optimizer: { kind: 'sgd' as const, learningRate: 0.1 }, gradientClipping: { globalNorm: 0.01 } };
    const clipped = await oneStep(engineFor, smallRecipe(plain));
    const decayed = await oneStep(
      engineFor,
      smallRecipe({ ...plain, weightDecay: { kind: 'l2', rate: 0.5, appliesTo: 'kernels' } }),
    );
    assertClose(decayed.after, (name, index) => {
      const initial = name.endsWith('/kernel') ? valueAt(clipped.before, name, index) : 0;
      return valueAt(clipped.after, name, index) - 0.1 * 0.5 * initial;
    });
  });

  test('averages every parameter by the decay that grows with the steps, and nothing else', async () => {
    const averaging = await engineFor(smallRecipe({ weightAveraging: { decay: 0.15 } }));
    let before = await averaging.snapshot();
    const averaged = Object.keys(before.tensors).filter((name) => name.startsWith('average/'));
    assert.deepEqual(
      averaged.map((name) => name.slice('average/'.length)).sort(),
      Object.keys(before.tensors)
        .filter((name) => isTrained(name) && !averaged.includes(name))
        .sort(),
    );
    // (1 + t)/(10 + t) is 0.1, then 0.18, where the recipe's 0.15 takes over.
    for (const decay of [0.1, 0.15, 0.15]) {
      await averaging.train(oneBatch, Float32Array.of(0.1));
      const after = await averaging.snapshot();
      for (const name of averaged) {
        after.tensors[name]?.data.forEach((value, index) => {
          const previous = valueAt(before, name, index);
          const weight = valueAt(after, name.slice('average/'.length), index);
          const expected = previous + (1 - decay) * (weight - previous);
          assertNear(value, expected, STEP_TOLERANCE, `${name}[${index}]`);
        });
      }
      before = after;
    }
  });
}

async function oneStep(engineFor: (recipe: Recipe) => Promise<TrainingEngine>, recipe: Recipe) {
  const engine = await engineFor(recipe);
  const before = await engine.snapshot();
  await engine.train(oneBatch, Float32Array.of(0.1));
  return { before, after: await engine.snapshot() };
}
