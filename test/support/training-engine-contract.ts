import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Recipe, RecipeSource } from '@atelier/domain';
import { withTargets } from '@atelier/fashion-mnist';
import { type EngineFactory, type EngineState, evaluate, type TrainingEngine } from '@atelier/trainer';
import { drawnExamples } from './drawn-examples.ts';
import { assertSameState, furthest } from './engine-states.ts';
import { testNetworkArithmetic } from './network-arithmetic-contract.ts';
import { testOptimizerSteps } from './optimizer-step-contract.ts';
import { smallRecipe } from './small-recipe.ts';

const OPTIMIZERS: RecipeSource['optimizer'][] = [
  { kind: 'sgd', learningRate: 0.1 },
  { kind: 'momentum', learningRate: 0.05, nesterov: true },
  { kind: 'rmsprop', learningRate: 0.01 },
  { kind: 'adam', learningRate: 0.01 },
];

const labelled = drawnExamples(200);
const examples = withTargets(labelled, 0);
/** Five batches, where more would show nothing else: a step takes software that stands in for a GPU up to a quarter of a second. */
const few = withTargets(drawnExamples(100), 0);
const rates = (steps: number, rate = 0.01) => new Float32Array(steps).fill(rate);

/**
 * The promises that every engine keeps, on every device; a test file of its own calls this for each. `learning` names the
 * optimisers that are trained for long, where a device is so slow that not all can be.
 */
export function describeTrainingEngine(
  title: string,
  choose: () => Promise<{ create: EngineFactory }>,
  learning: readonly string[] = OPTIMIZERS.map(({ kind }) => kind),
): void {
  describe(title, () => {
    const open: TrainingEngine[] = [];
    const engineFor = async (recipe: Recipe) => {
      const { create } = await choose();
      const engine = await create(recipe);
      open.push(engine);
      return engine;
    };
    let engine: TrainingEngine;
    before(async () => {
      engine = await engineFor(smallRecipe());
    });
    after(async () => {
      for (const each of open) await each.dispose();
    });

    const trained = OPTIMIZERS.filter(({ kind }) => learning.includes(kind));
    testNetworkArithmetic(engineFor);
    testOptimizerSteps(engineFor, trained);

    for (const optimizer of trained) {
      test(`learns drawn bands with ${optimizer.kind}`, async () => {
        const learner = await engineFor(smallRecipe({ optimizer }));
        const before = await evaluate(learner, labelled);
        let after = before;
        const hasLearnt = () => after.accuracy >= 0.9 && after.loss < before.loss / 2;
        for (let epoch = 0; epoch < 10 && !hasLearnt(); epoch++) {
          await learner.train(examples, rates(10, optimizer.learningRate));
          after = await evaluate(learner, labelled);
        }
        assert.ok(hasLearnt(), `accuracy ${after.accuracy}; loss ${before.loss} became ${after.loss}`);
      });

      test(`goes on to the same bits from a restored snapshot with ${optimizer.kind}`, async () => {
        const recipe = smallRecipe({ optimizer });
        const first = await engineFor(recipe);
        // Long enough for running products to part from powers in the last bits.
        for (let epoch = 0; epoch < 5; epoch++) await first.train(examples, rates(10));
        const snapshot = await first.snapshot();
        const losses = await first.train(examples, rates(10));
        const second = await engineFor({ ...recipe });
        await second.restore(snapshot);
        assert.deepEqual(await second.train(examples, rates(10)), losses);
        assertSameState(await second.snapshot(), await first.snapshot());
      });
    }

    for (const activation of ['relu', 'gelu', 'elu', 'selu', 'tanh', 'sigmoid', 'linear'] as const) {
      test(`trains a layer with ${activation} and batch normalisation behind it`, async () => {
        const hiddenLayers = [{ units: 16, activation, batchNormalization: 'after-activation' as const, dropout: 0 }];
        const learner = await engineFor(smallRecipe({ hiddenLayers }));
        const losses = await learner.train(few, rates(5));
        const later = await learner.train(few, rates(5));
        assert.ok(mean(later) < mean(losses), `${mean(losses)} became ${mean(later)}`);
      });
    }

    test('gives the same losses and weights from the same seed, and others from another', async () => {
      const run = async (seed: number) => {
        const each = await engineFor(smallRecipe({ seed }));
        const losses = await each.train(few, rates(5));
        return { losses, state: await each.snapshot() };
      };
      const [first, second, other] = [await run(3), await run(3), await run(4)];
      assert.deepEqual(second.losses, first.losses);
      assertSameState(second.state, first.state);
      assert.notDeepEqual(other.losses, first.losses);
    });

    test('refuses learning rates that do not fit the examples', async () => {
      await assert.rejects(engine.train(examples, rates(9)), {
        name: 'RangeError',
        message: /9 learning rates.*expected 10/,
      });
    });

    test('refuses targets or pixels that do not fit the examples', async () => {
      const { targets, images } = examples;
      await assert.rejects(engine.train({ ...examples, targets: targets.subarray(10) }, rates(10)), {
        name: 'RangeError',
        message: /1990 target values for 200 examples; expected 2000/,
      });
      await assert.rejects(engine.train({ ...examples, images: images.subarray(784) }, rates(10)), {
        name: 'RangeError',
        message: /156016 pixels for 200 examples; expected 156800/,
      });
    });

    test('refuses the state of another network and keeps its own', async () => {
      const other = await engineFor(
        smallRecipe({ hiddenLayers: [{ units: 8, activation: 'relu', batchNormalization: 'none', dropout: 0 }] }),
      );
      const before = await engine.logits(examples);
      await assert.rejects(engine.restore(await other.snapshot()), {
        name: 'RangeError',
        message: /hidden_1\/kernel.*\[784,16\]/,
      });
      assert.deepEqual(await engine.logits(examples), before);
    });

    test('refuses the state of another optimiser, or one that lacks a slot, and keeps its own', async () => {
      const batch = withTargets(drawnExamples(20), 0); // slots are there after one step
      const states: Record<string, EngineState> = {};
      for (const optimizer of OPTIMIZERS) {
        const other = await engineFor(smallRecipe({ optimizer }));
        await other.train(batch, rates(1));
        states[optimizer.kind] = await other.snapshot();
      }
      for (const optimizer of OPTIMIZERS) {
        const own = await engineFor(smallRecipe({ optimizer, seed: 11 }));
        await own.train(batch, rates(1));
        const before = await own.snapshot();
        for (const [kind, state] of Object.entries(states)) {
          if (kind === optimizer.kind || kind === 'sgd') continue;
          await assert.rejects(
            own.restore(state),
            { name: 'RangeError', message: /^"optimizer\// },
            `${kind} into ${optimizer.kind}`,
          );
        }
        const slot = Object.keys(before.tensors).find((name) => /^optimizer\/.*kernel$/.test(name));
        if (slot !== undefined) {
          const tensors = Object.fromEntries(Object.entries(before.tensors).filter(([name]) => name !== slot));
          await assert.rejects(own.restore({ ...before, tensors }), {
            name: 'RangeError',
            message: new RegExp(`^"${slot}" is missing`),
          });
        }
        assertSameState(await own.snapshot(), before);
      }
    });

    test('computes logits with the averages, and trains on without them', async () => {
      const averaging = await engineFor(smallRecipe({ weightAveraging: { decay: 0.9 } }));
      const plain = await engineFor(smallRecipe());
      await averaging.train(few, rates(5));
      await plain.train(few, rates(5));
      const logits = await averaging.logits(labelled);
      assert.ok(furthest(logits, await plain.logits(labelled)) > 0.01, 'the averages lag behind');
      const state = await averaging.snapshot();
      const tensors = Object.fromEntries(
        Object.entries(state.tensors)
          .filter(([name]) => !name.startsWith('average/'))
          .map(([name, tensor]) => [name, state.tensors[`average/${name}`] ?? tensor]),
      );
      assert.deepEqual(await averaging.train(few, rates(5)), await plain.train(few, rates(5)));
      await plain.restore({ ...state, tensors });
      assert.ok(furthest(logits, await plain.logits(labelled)) <= 1e-5);
    });

    test('goes on to the same bits from a restored snapshot with averages and clipping', async () => {
      const recipe = smallRecipe({ weightAveraging: { decay: 0.99 }, gradientClipping: { globalNorm: 0.5 } });
      const first = await engineFor(recipe);
      await first.train(examples, rates(10));
      const snapshot = await first.snapshot();
      await first.train(examples, rates(10));
      const second = await engineFor(recipe);
      await second.restore(snapshot);
      await second.train(examples, rates(10));
      assertSameState(await second.snapshot(), await first.snapshot());
      assert.deepEqual(await second.logits(labelled), await first.logits(labelled));
    });

    test('refuses a state that lacks averages, or has them where the recipe has none', async () => {
      const averaging = await engineFor(smallRecipe({ weightAveraging: { decay: 0.9 } }));
      await averaging.train(examples, rates(10));
      await engine.train(examples, rates(10));
      const [withAverages, without] = [await averaging.snapshot(), await engine.snapshot()];
      await assert.rejects(averaging.restore(without), { name: 'RangeError', message: /^"average\/.*" is missing/ });
      await assert.rejects(engine.restore(withAverages), { name: 'RangeError', message: /^"average\// });
      assertSameState(await averaging.snapshot(), withAverages);
      assertSameState(await engine.snapshot(), without);
    });
  });
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
