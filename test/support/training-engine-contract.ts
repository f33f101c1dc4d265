import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Recipe, RecipeSource } from '@atelier/domain';
import { sliceTraining, withTargets } from '@atelier/fashion-mnist';
import { type EngineFactory, type EngineState, evaluate, type TrainingEngine } from '@atelier/trainer';
import { drawnExamples } from './drawn-examples.ts';
import { smallRecipe } from './small-recipe.ts';

const OPTIMIZERS: RecipeSource['optimizer'][] = [
  { kind: 'sgd', learningRate: 0.1 },
  { kind: 'momentum', learningRate: 0.05, nesterov: true },
  { kind: 'rmsprop', learningRate: 0.01 },
  { kind: 'adam', learningRate: 0.01 },
];

const labelled = drawnExamples(200);
const examples = withTargets(labelled, 0);
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

    for (const optimizer of OPTIMIZERS.filter(({ kind }) => learning.includes(kind))) {
      test(`learns drawn bands with ${optimizer.kind}`, async () => {
        const learner = await engineFor(smallRecipe({ optimizer }));
        const before = await evaluate(learner, labelled);
        for (let epoch = 0; epoch < 10; epoch++) await learner.train(examples, rates(10, optimizer.learningRate));
        const after = await evaluate(learner, labelled);
        assert.ok(after.accuracy >= 0.9, `accuracy ${after.accuracy}`);
        assert.ok(after.loss < before.loss / 2, `loss ${before.loss} became ${after.loss}`);
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
        const losses = await learner.train(examples, rates(10));
        const later = await learner.train(examples, rates(10));
        assert.ok(mean(later) < mean(losses), `${mean(losses)} became ${mean(later)}`);
      });
    }

    test('gives the same losses and weights from the same seed, and others from another', async () => {
      const run = async (seed: number) => {
        const each = await engineFor(smallRecipe({ seed }));
        const losses = await each.train(examples, rates(10));
        return { losses, state: await each.snapshot() };
      };
      const [first, second, other] = [await run(3), await run(3), await run(4)];
      assert.deepEqual(second.losses, first.losses);
      assertSameState(second.state, first.state);
      assert.notDeepEqual(other.losses, first.losses);
    });

    test('drops other units at every step, and none in inference mode', async () => {
      const hiddenLayers = [
        { units: 64, activation: 'relu' as const, batchNormalization: 'none' as const, dropout: 0.5 },
      ];
      const dropping = await engineFor(smallRecipe({ hiddenLayers }));
      const batch = sliceTraining(examples, 0, 20);
      const losses = [
        ...(await dropping.train(batch, rates(1, 1e-12))),
        ...(await dropping.train(batch, rates(1, 1e-12))),
      ];
      assert.notEqual(losses[0], losses[1], 'at a vanishing rate only the mask can change the loss');
      assert.deepEqual(await dropping.logits(batch), await dropping.logits(batch));
    });

    test('takes a short last batch', async () => {
      const losses = await engine.train(sliceTraining(examples, 0, 47), rates(3));
      assert.equal(losses.length, 3);
      assert.ok(losses.every(Number.isFinite));
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
      const states: Record<string, EngineState> = {};
      for (const optimizer of OPTIMIZERS) {
        const other = await engineFor(smallRecipe({ optimizer }));
        await other.train(examples, rates(10));
        states[optimizer.kind] = await other.snapshot();
      }
      for (const optimizer of OPTIMIZERS) {
        const own = await engineFor(smallRecipe({ optimizer, seed: 11 }));
        await own.train(examples, rates(10));
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
        await averaging.train(sliceTraining(examples, 0, 20), rates(1, 0.1));
        const after = await averaging.snapshot();
        for (const name of averaged) {
          after.tensors[name]?.data.forEach((value, index) => {
            const previous = valueAt(before, name, index);
            const weight = valueAt(after, name.slice('average/'.length), index);
            const expected = previous + (1 - decay) * (weight - previous);
            assert.ok(
              Math.abs(value - expected) <= STEP_TOLERANCE,
              `${name}[${index}]: ${value}, expected ${expected}`,
            );
          });
        }
        before = after;
      }
    });

    test('computes logits with the averages, and trains on without them', async () => {
      const averaging = await engineFor(smallRecipe({ weightAveraging: { decay: 0.9 } }));
      const plain = await engineFor(smallRecipe());
      await averaging.train(examples, rates(10));
      await plain.train(examples, rates(10));
      const logits = await averaging.logits(labelled);
      assert.ok(furthest(logits, await plain.logits(labelled)) > 0.01, 'the averages lag behind');
      const state = await averaging.snapshot();
      const tensors = Object.fromEntries(
        Object.entries(state.tensors)
          .filter(([name]) => !name.startsWith('average/'))
          .map(([name, tensor]) => [name, state.tensors[`average/${name}`] ?? tensor]),
      );
      assert.deepEqual(await averaging.train(examples, rates(10)), await plain.train(examples, rates(10)));
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

    test('takes soft targets: the loss is the mean cross-entropy and each class pulls with its probability', async () => {
      const hiddenLayers = [
        { units: 16, activation: 'relu' as const, batchNormalization: 'none' as const, dropout: 0 },
      ];
      const learner = await engineFor(smallRecipe({ hiddenLayers, optimizer: { kind: 'sgd', learningRate: 0.1 } }));
      const batch = { ...sliceTraining(examples, 0, 20), targets: unevenTargets(20) };
      const [before, logits] = [await learner.snapshot(), await learner.logits(batch)];
      const losses = await learner.train(batch, rates(1, 0.1));
      const after = await learner.snapshot();
      const { loss, gradient } = crossEntropy(logits, batch.targets);
      assert.ok(Math.abs((losses[0] ?? NaN) - loss) <= 1e-5, `${losses[0]}, expected ${loss}`);
      gradient.forEach((value, index) => {
        const moved = valueAt(after, 'logits/bias', index) - valueAt(before, 'logits/bias', index);
        assert.ok(Math.abs(moved + 0.1 * value) <= STEP_TOLERANCE, `bias ${index} moved by ${moved}`);
      });
    });
  });
}

async function oneStep(engineFor: (recipe: Recipe) => Promise<TrainingEngine>, recipe: Recipe) {
  const engine = await engineFor(recipe);
  const before = await engine.snapshot();
  await engine.train(sliceTraining(examples, 0, 20), rates(1, 0.1));
  return { before, after: await engine.snapshot() };
}

/** Rows of ten probabilities, none of them 0, each row another than the last. */
function unevenTargets(count: number): Float32Array {
  return Float32Array.from({ length: count * 10 }, (_, index) => {
    const [row, column] = [Math.floor(index / 10), index % 10];
    return (column === row % 10 ? 0.55 : 0.05) + (column === 0 ? 0 : 0.01 * (column - 5));
  });
}

/** Mean over the rows, in nats, of −Σ target·log softmax(logits), and its gradient by a bias added to every row, [10]. */
function crossEntropy(logits: Float32Array, targets: Float32Array): { loss: number; gradient: number[] } {
  const count = logits.length / 10;
  const gradient = new Array<number>(10).fill(0);
  let loss = 0;
  for (let row = 0; row < count; row++) {
    const exponentials = Array.from(logits.subarray(row * 10, row * 10 + 10), Math.exp);
    const sum = exponentials.reduce((total, value) => total + value, 0);
    exponentials.forEach((value, column) => {
      const target = targets[row * 10 + column] ?? NaN;
      loss -= (target * Math.log(value / sum)) / count;
      gradient[column] = (gradient[column] ?? NaN) + (value / sum - target) / count;
    });
  }
  return { loss, gradient };
}

/** One float32 step of either order of operations: a few units in the last place of numbers around 1. */
const STEP_TOLERANCE = 1e-6;

function assertClose(state: EngineState, expected: (name: string, index: number) => number): void {
  for (const [name, { data }] of Object.entries(state.tensors)) {
    if (name.startsWith('optimizer/')) continue;
    data.forEach((value, index) => {
      assert.ok(
        Math.abs(value - expected(name, index)) <= STEP_TOLERANCE,
        `${name}[${index}]: ${value}, expected ${expected(name, index)}`,
      );
    });
  }
}

function assertSameState(actual: EngineState, expected: EngineState): void {
  assert.equal(actual.steps, expected.steps);
  assert.deepEqual(Object.keys(actual.tensors), Object.keys(expected.tensors));
  for (const [name, { data }] of Object.entries(expected.tensors))
    assert.deepEqual(actual.tensors[name]?.data, data, name);
}

/** Whether the optimiser moves it. */
function isTrained(name: string): boolean {
  return !name.includes('/moving_') && !name.startsWith('optimizer/');
}

/** Euclidean, over all that the optimiser moves. */
function distance(before: EngineState, after: EngineState): number {
  const squares = Object.entries(after.tensors)
    .filter(([name]) => isTrained(name))
    .map(([name, { data }]) =>
      data.reduce((sum, value, index) => sum + (value - valueAt(before, name, index)) ** 2, 0),
    );
  return Math.sqrt(squares.reduce((sum, value) => sum + value, 0));
}

function furthest(first: Float32Array, second: Float32Array): number {
  return first.reduce((most, value, index) => Math.max(most, Math.abs(value - (second[index] ?? NaN))), 0);
}

function valueAt(state: EngineState, name: string, index: number): number {
  return state.tensors[name]?.data[index] ?? NaN;
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
