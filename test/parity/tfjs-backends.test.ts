import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { RecipeSource } from '@atelier/domain';
import { withTargets } from '@atelier/fashion-mnist';
import { chooseEngine, type EngineState } from '@atelier/trainer';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { drawnExamples } from '../support/drawn-examples.ts';
import { smallRecipe } from '../support/small-recipe.ts';

const OPTIMIZERS: RecipeSource['optimizer'][] = [
  { kind: 'sgd', learningRate: 0.1 },
  { kind: 'momentum', learningRate: 0.05 },
  { kind: 'rmsprop', learningRate: 0.001 },
  // A bias that batch normalisation undoes has a gradient of rounding errors; a small epsilon would blow them up to steps.
  { kind: 'adam', learningRate: 0.001, epsilon: 1e-3 },
];

/** Ten steps in float32, whose sums the two backends take in other orders; a wrong gradient is off by a thousandth at least. */
const TOLERANCE = 1e-4;

describe("the tfjs engine on tfjs' two portable backends", () => {
  const examples = withTargets(drawnExamples(200), 0);
  let create: Awaited<ReturnType<typeof chooseEngine>>['create'];
  before(async () => {
    ({ create } = await chooseEngine('tfjs'));
  });
  after(() => tf.setBackend('wasm'));

  for (const optimizer of OPTIMIZERS) {
    test(`ten steps with ${optimizer.kind}, batch normalisation and dropout give the same weights on both`, async () => {
      const recipe = smallRecipe({
        optimizer,
        weightDecay: { kind: 'decoupled', rate: 0.01, appliesTo: 'kernels' },
      });
      const trainedOn = async (backend: string): Promise<EngineState> => {
        assert.ok(await tf.setBackend(backend));
        const engine = await create(recipe);
        await engine.train(examples, new Float32Array(10).fill(optimizer.learningRate));
        const state = await engine.snapshot();
        await engine.dispose();
        return state;
      };
      const [wasm, javascript] = [await trainedOn('wasm'), await trainedOn('cpu')];
      assert.deepEqual(Object.keys(javascript.tensors), Object.keys(wasm.tensors));
      for (const [name, { data }] of Object.entries(wasm.tensors)) {
        const other = javascript.tensors[name]?.data ?? new Float32Array();
        const difference = data.reduce(
          (most, value, index) => Math.max(most, Math.abs(value - (other[index] ?? NaN))),
          0,
        );
        assert.ok(difference <= TOLERANCE, `${name} differs by ${difference}`);
      }
    });
  }
});
