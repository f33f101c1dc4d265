import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Recipe } from '@atelier/domain';
import { select } from '@atelier/fashion-mnist';
import { chooseEngine, evaluate, fit, type FitOptions, type TrainingData } from '@atelier/trainer';
import { drawnExamples } from '../../support/drawn-examples.ts';
import { smallRecipe } from '../../support/small-recipe.ts';

const { create } = await chooseEngine('tfjs');

function drawnData(wrongShare = 0): TrainingData {
  const examples = drawnExamples(300, 5, wrongShare);
  const indices = Uint32Array.from({ length: 300 }, (_, index) => index);
  return { examples, train: indices.subarray(0, 240), validation: indices.subarray(240) };
}

async function fitted(recipe: Recipe, data: TrainingData, options: FitOptions = {}) {
  const engine = await create(recipe);
  try {
    const result = await fit(engine, data, recipe, options);
    return { ...result, held: await evaluate(engine, select(data.examples, data.validation)) };
  } finally {
    await engine.dispose();
  }
}

describe('fit', () => {
  test('restores the best weights when patience runs out', async () => {
    // Half the labels are wrong: the network soon learns them by heart and gets worse on validation.
    const recipe = smallRecipe({
      hiddenLayers: [{ units: 64, activation: 'relu', batchNormalization: 'none', dropout: 0 }],
      epochs: 60,
      earlyStopping: { monitor: 'validation-loss', patience: 3 },
    });
    const { history, bestEpoch, held } = await fitted(recipe, drawnData(0.5));
    const losses = history.map(({ validation }) => validation.loss);
    assert.equal(losses.indexOf(Math.min(...losses)) + 1, bestEpoch);
    assert.equal(history.length, bestEpoch + 3, 'stops three epochs after the best one');
    assert.ok(history.length < 60);
    assert.equal(held.loss, losses[bestEpoch - 1]);
    assert.notEqual(held.loss, losses.at(-1));
  });

  test('measures training images too, in inference mode', async () => {
    const data = drawnData(0.3);
    const recipe = smallRecipe({ epochs: 2 });
    const engine = await create(recipe);
    const { history } = await fit(engine, data, recipe);
    const held = await evaluate(engine, select(data.examples, data.train));
    await engine.dispose();
    const { loss = NaN, accuracy } = history.at(-1)?.training ?? {};
    assert.equal(accuracy, held.accuracy);
    assert.ok(Math.abs(loss - held.loss) < 1e-9, 'the order of the images alone differs');
  });

  test('can watch accuracy instead of loss', async () => {
    const recipe = smallRecipe({ epochs: 40, earlyStopping: { monitor: 'validation-accuracy', patience: 2 } });
    const { history, bestEpoch, held } = await fitted(recipe, drawnData());
    const accuracies = history.map(({ validation }) => validation.accuracy);
    assert.equal(held.accuracy, Math.max(...accuracies));
    assert.equal(accuracies.indexOf(Math.max(...accuracies)) + 1, bestEpoch);
  });

  test('can watch the training loss', async () => {
    const recipe = smallRecipe({
      optimizer: { kind: 'sgd', learningRate: 0.05 },
      epochs: 40,
      earlyStopping: { monitor: 'training-loss', patience: 2, minimumImprovement: 0.05 },
    });
    const { history, bestEpoch } = await fitted(recipe, drawnData());
    const losses = history.map(({ trainingLoss }) => trainingLoss);
    assert.equal(history.length, bestEpoch + 2);
    assert.ok(history.length < 40);
    const best = losses[bestEpoch - 1] ?? NaN;
    assert.ok(losses.slice(bestEpoch).every((loss) => loss >= best - 0.05));
  });

  test('keeps the last weights and trains all epochs without early stopping', async () => {
    const { history, bestEpoch, held } = await fitted(smallRecipe({ epochs: 4 }), drawnData());
    assert.equal(history.length, 4);
    assert.equal(bestEpoch, 4);
    assert.equal(held.loss, history.at(-1)?.validation.loss);
  });

  test('reduces the learning rate after a plateau of the validation loss, by the factor', async () => {
    const recipe = smallRecipe({
      hiddenLayers: [{ units: 64, activation: 'relu', batchNormalization: 'none', dropout: 0 }],
      epochs: 25,
      schedule: { kind: 'reduce-on-plateau', factor: 0.5, patience: 1 },
    });
    const { history } = await fitted(recipe, drawnData(0.5));
    const ratios = history.slice(1).map((report, index) => report.learningRate / (history[index]?.learningRate ?? NaN));
    assert.ok(ratios.includes(0.5), `rates ${history.map(({ learningRate }) => learningRate).join(' ')}`);
    assert.ok(ratios.every((ratio) => ratio === 1 || ratio === 0.5));
  });

  test('counts augmentation and the answers of a teacher as preparation, not as training', async () => {
    const teacher: FitOptions['teacher'] = {
      async teach(examples) {
        await pause(300);
        return examples;
      },
    };
    const { history } = await fitted(smallRecipe({ epochs: 2 }), drawnData(), { teacher });
    for (const { preparationSeconds } of history) assert.ok(preparationSeconds >= 0.29, `${preparationSeconds} s`);
  });

  test('gives the same history from the same seed', async () => {
    const run = async () =>
      (await fitted(smallRecipe({ augmentation: { mirrorProbability: 0.5 } }), drawnData())).history;
    const withoutTimes = (history: Awaited<ReturnType<typeof run>>) =>
      history.map(({ trainingLoss, validation }) => ({ trainingLoss, validation }));
    assert.deepEqual(withoutTimes(await run()), withoutTimes(await run()));
  });

  test('stops at a loss that is no number and says the epoch, the step and the learning rate', async () => {
    const recipe = smallRecipe({
      hiddenLayers: [{ units: 16, activation: 'relu', batchNormalization: 'none', dropout: 0 }],
      optimizer: { kind: 'sgd', learningRate: 1e20 },
    });
    const message = /^The loss is NaN in epoch 1, step 2, at learning rate 1\d*e?\+?\d*/;
    await assert.rejects(fitted(recipe, drawnData()), { code: 'training-diverged', message });
  });

  test('stops at weights that are no numbers, even where the loss hides them', async () => {
    const recipe = smallRecipe({ optimizer: { kind: 'sgd', learningRate: 1e30 } });
    await assert.rejects(fitted(recipe, drawnData()), {
      code: 'training-diverged',
      message: /^"hidden_1\/kernel" is no longer finite after epoch 1/,
    });
  });

  test('stops at an evaluation that is no number, and keeps nothing of that epoch', async () => {
    // One step an epoch: its loss is from before it, and its weights are finite, but too large to compute with.
    const recipe = smallRecipe({
      hiddenLayers: [{ units: 16, activation: 'linear', batchNormalization: 'none', dropout: 0 }],
      optimizer: { kind: 'sgd', learningRate: 1e30 },
      batchSize: 240,
    });
    const onCheckpoint = () => assert.fail('kept a checkpoint of it');
    await assert.rejects(fitted(recipe, drawnData(), { onCheckpoint }), {
      code: 'training-diverged',
      message: /^The loss on training images is NaN in epoch 1, step 1, at learning rate 1\S*; a lower/,
    });
  });

  test('stops between two chunks when it is interrupted', async () => {
    const controller = new AbortController();
    let chunks = 0;
    const onProgress = () => {
      if (++chunks === 2) controller.abort();
    };
    await assert.rejects(fitted(smallRecipe({ epochs: 50 }), drawnData(), { signal: controller.signal, onProgress }), {
      code: 'training-interrupted',
      message: /epoch 2/,
    });
    assert.equal(chunks, 2);
  });

  test('reports progress in steps and images a second', async () => {
    const seen: { epoch: number; step: number }[] = [];
    await fitted(smallRecipe({ epochs: 2 }), drawnData(), {
      onProgress: ({ epoch, step, stepsPerEpoch, imagesPerSecond, loss }) => {
        seen.push({ epoch, step });
        assert.equal(stepsPerEpoch, 12);
        assert.ok(imagesPerSecond > 0 && Number.isFinite(loss));
      },
    });
    assert.deepEqual(seen.at(-1), { epoch: 2, step: 12 });
  });
});
