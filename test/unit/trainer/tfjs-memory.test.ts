import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withTargets } from '@atelier/fashion-mnist';
import { chooseEngine } from '@atelier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { drawnExamples } from '../../support/drawn-examples.ts';
import { smallRecipe } from '../../support/small-recipe.ts';

test('training, looking at logits, snapshots and restoring leave no tensors behind in tfjs', async () => {
  const { create } = await chooseEngine('tfjs');
  const examples = withTargets(drawnExamples(100), 0);
  const rates = new Float32Array(5).fill(0.01);
  const before = tf.memory().numTensors;
  const engine = await create(smallRecipe({ gradientClipping: { globalNorm: 1 }, weightAveraging: { decay: 0.9 } }));
  await engine.train(examples, rates);
  await engine.restore(await engine.snapshot());
  const settled = tf.memory().numTensors;
  for (let round = 0; round < 5; round++) {
    await engine.train(examples, rates);
    await engine.logits(examples);
    await engine.restore(await engine.snapshot());
  }
  assert.equal(tf.memory().numTensors, settled);
  await engine.dispose();
  assert.equal(tf.memory().numTensors, before);
});
