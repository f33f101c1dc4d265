import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recipe } from '@atelier/domain';
import { sliceTraining, withTargets } from '@atelier/fashion-mnist';
import type { EngineState, TrainingEngine } from '@atelier/trainer';
import { drawnExamples } from './drawn-examples.ts';
import { assertNear, furthest, STEP_TOLERANCE, valueAt } from './engine-states.ts';
import { columnSums, crossEntropy, passInFloat64, type Rows } from './network-in-float64.ts';
import { smallLayer, smallRecipe } from './small-recipe.ts';

/** Sums of 784 products in float32 against float64, in numbers of a few units at most. */
const SUM_TOLERANCE = 1e-5;

const RATE = 0.1;
const steepest = { kind: 'sgd' as const, learningRate: RATE };

/** Two whole batches and one of seven, with targets of which none is 0. */
const examples = { ...withTargets(drawnExamples(47), 0), targets: unevenTargets(47) };

/** What a network computes in training and in inference mode, against the same in float64. */
export function testNetworkArithmetic(engineFor: (recipe: Recipe) => Promise<TrainingEngine>): void {
  test('takes soft targets: the loss is the mean cross-entropy and each class pulls with its probability', async () => {
    const recipe = smallRecipe({ hiddenLayers: [smallLayer()], optimizer: steepest });
    const learner = await engineFor(recipe);
    const batch = sliceTraining(examples, 0, 20);
    const before = await learner.snapshot();
    const losses = await learner.train(batch, Float32Array.of(RATE));
    const { loss, gradient } = crossEntropy(passInFloat64(recipe, before, batch).logits, batch.targets);
    assertNear(losses[0], loss, SUM_TOLERANCE, 'loss');
    assertMoved('logits/bias', before, await learner.snapshot(), columnSums(gradient));
  });

  test('takes a step of its own on a short last batch', async () => {
    const recipe = smallRecipe({ hiddenLayers: [smallLayer()], optimizer: steepest });
    const learner = await engineFor(recipe);
    const before = await learner.snapshot();
    // At rate 0 the whole batches leave the weights where they are: what moves them is the short one.
    const losses = await learner.train(examples, Float32Array.of(0, 0, RATE));
    const after = await learner.snapshot();
    assert.equal(losses.length, 3);
    assert.equal(after.steps, 3);
    const short = sliceTraining(examples, 40, 47);
    const { loss, gradient } = crossEntropy(passInFloat64(recipe, before, short).logits, short.targets);
    assertNear(losses[2], loss, SUM_TOLERANCE, 'loss of the short batch');
    assertMoved('logits/bias', before, after, columnSums(gradient));
  });

  test('moves running statistics to those of each batch by the momentum, and predicts with them', async () => {
    const momentum = 0.8;
    const recipe = smallRecipe({
      hiddenLayers: [
        smallLayer({ batchNormalization: 'before-activation' }),
        smallLayer({ units: 12, batchNormalization: 'after-activation' }),
      ],
      batchNormalization: { momentum, epsilon: 0.01 },
      optimizer: steepest,
    });
    const learner = await engineFor(recipe);
    for (const [start, end] of [
      [0, 20],
      [40, 47],
    ] as const) {
      const batch = sliceTraining(examples, start, end);
      const before = await learner.snapshot();
      await learner.train(batch, Float32Array.of(RATE));
      const after = await learner.snapshot();
      const { statistics } = passInFloat64(recipe, before, batch, {});
      for (const [name, { mean, variance }] of Object.entries(statistics)) {
        for (const [part, values] of [
          [`${name}/moving_mean`, mean],
          [`${name}/moving_variance`, variance],
        ] as const) {
          values.forEach((value, unit) => {
            const expected = momentum * valueAt(before, part, unit) + (1 - momentum) * value;
            assertNear(after.tensors[part]?.data[unit], expected, SUM_TOLERANCE, `${part}[${unit}]`);
          });
        }
      }
    }
    const { logits } = passInFloat64(recipe, await learner.snapshot(), examples);
    const found = await learner.logits(examples);
    assert.ok(furthest(found, Float32Array.from(logits.flat())) <= SUM_TOLERANCE, 'logits by the running statistics');
  });

  test('drops other units at every step, and none in inference mode', async () => {
    const dropping = await engineFor(smallRecipe({ hiddenLayers: [smallLayer({ units: 64, dropout: 0.5 })] }));
    const batch = sliceTraining(examples, 0, 20);
    const losses = [
      ...(await dropping.train(batch, Float32Array.of(1e-12))),
      ...(await dropping.train(batch, Float32Array.of(1e-12))),
    ];
    assert.notEqual(losses[0], losses[1], 'at a vanishing rate only the mask can change the loss');
    assert.deepEqual(await dropping.logits(batch), await dropping.logits(batch));
  });

  test('drops units with their probability in each row by itself, and scales the others by 1/(1 − it)', async () => {
    const [units, dropout] = [64, 0.25];
    const recipe = smallRecipe({
      hiddenLayers: [smallLayer({ units, activation: 'linear', dropout })],
      optimizer: steepest,
    });
    const learner = await engineFor(recipe);
    const initial = await learner.snapshot();
    const stepFrom = async (state: EngineState) => {
      await learner.restore(state);
      const [loss] = await learner.train(labelled, Float32Array.of(RATE));
      return { loss, after: await learner.snapshot() };
    };

    const kept = keptUnits((await stepFrom(showingMasks(initial))).after, units);
    for (const value of kept.flat()) {
      const scaled = Math.round(value * (1 - dropout));
      assert.ok(scaled === 0 || scaled === 1);
      assertNear(value, scaled / (1 - dropout), 1e-4, 'what becomes of 1');
    }
    const masks = kept.map((row) => row.map((value) => (value > 0 ? 1 : 0)));
    const share = masks.flat().reduce<number>((sum, bit) => sum + bit, 0) / masks.flat().length;
    assertNear(share, 1 - dropout, 0.07, 'share of the units that are kept'); // four deviations of 576 draws
    assert.equal(new Set(masks.map((row) => row.join(''))).size, masks.length, 'every row has a mask of its own');

    // The same step count draws the same masks, now of a network whose loss depends on them.
    const { loss, after } = await stepFrom(initial);
    const { logits } = passInFloat64(recipe, initial, labelled, { kept: masks });
    const expected = crossEntropy(logits, labelled.targets);
    assertNear(loss, expected.loss, SUM_TOLERANCE, 'loss');
    const gradient = masks.map((row, index) =>
      row.map((bit, unit) => {
        const pulls = (expected.gradient[index] ?? []).map(
          (pull, column) => pull * valueAt(initial, 'logits/kernel', unit * 10 + column),
        );
        return (bit / (1 - dropout)) * pulls.reduce((sum, pull) => sum + pull, 0);
      }),
    );
    assertMoved('hidden_1/bias', initial, after, columnSums(gradient));
  });

  test('computes the logits of many rows at once as in small calls', async () => {
    const many = drawnExamples(1500);
    const predicting = await engineFor(smallRecipe());
    const whole = await predicting.logits(many);
    assert.equal(whole.length, 15_000);
    for (let start = 0; start < 1500; start += 300) {
      const images = many.images.subarray(start * 784, (start + 300) * 784);
      const part = await predicting.logits({ count: 300, images });
      const difference = furthest(part, whole.subarray(start * 10, (start + 300) * 10));
      assert.ok(difference <= SUM_TOLERANCE, `rows from ${start} differ by ${difference}`);
    }
  });
}

/** One example of each class but the first. */
const labelled = sliceTraining(withTargets(drawnExamples(10), 0), 1, 10);

/**
 * The state with every hidden value 1 and every logit 0. Dropout then leaves the softmax at 0.1, so that the gradient of
 * the kernel behind it, by unit u and class c, is the mean over the rows of (0.1 − target) times what becomes of the 1.
 */
function showingMasks(state: EngineState): EngineState {
  const constants: Record<string, number> = { 'hidden_1/kernel': 0, 'hidden_1/bias': 1, 'logits/kernel': 0 };
  const tensors = Object.fromEntries(
    Object.entries(state.tensors).map(([name, { shape, data }]) => {
      const constant = constants[name];
      return [name, { shape, data: constant === undefined ? data : data.map(() => constant) }];
    }),
  );
  return { ...state, tensors };
}

/** What became of each 1, [row][unit]: no row is of class 0, whose gradient is the common part; row r is of class r + 1. */
function keptUnits({ tensors }: EngineState, units: number): Rows {
  const moved = (unit: number, column: number) => tensors['logits/kernel']?.data[unit * 10 + column] ?? NaN;
  return Array.from({ length: labelled.count }, (_, row) =>
    Array.from({ length: units }, (_, unit) => ((moved(unit, row + 1) - moved(unit, 0)) * labelled.count) / RATE),
  );
}

/** One step of plain gradient descent. */
function assertMoved(name: string, before: EngineState, after: EngineState, gradient: number[]): void {
  assert.ok(gradient.some((value) => Math.abs(value * RATE) > 100 * STEP_TOLERANCE));
  gradient.forEach((value, index) => {
    const expected = valueAt(before, name, index) - RATE * value;
    assertNear(after.tensors[name]?.data[index], expected, STEP_TOLERANCE, `${name}[${index}]`);
  });
}

/** Rows of ten probabilities, none of them 0, each row another than the last. */
function unevenTargets(count: number): Float32Array {
  return Float32Array.from({ length: count * 10 }, (_, index) => {
    const [row, column] = [Math.floor(index / 10), index % 10];
    return (column === row % 10 ? 0.55 : 0.05) + (column === 0 ? 0 : 0.01 * (column - 5));
  });
}
