import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseEngine, initialState, networkTensors } from '@atelier/trainer';
import { smallRecipe } from '../../support/small-recipe.ts';

/** Wide enough for its kernel to show its distribution: 784 · 128 = 100,352 values. */
const hiddenLayers = [
  { units: 128, activation: 'relu' as const, batchNormalization: 'before-activation' as const, dropout: 0 },
];

describe('initial weights', () => {
  test('glorot-uniform is uniform in ±√(6 / (inputs + units)), and biases are zero', () => {
    const tensors = initialState(smallRecipe({ hiddenLayers, initializer: 'glorot-uniform' }));
    assertUniform(dataOf(tensors, 'hidden_1/kernel'), Math.sqrt(6 / (784 + 128)));
    assert.ok(dataOf(tensors, 'hidden_1/bias').every((value) => value === 0));
  });

  test('he-normal is normal with deviation √(2 / inputs), cut off at two deviations, and biases are zero', () => {
    const tensors = initialState(smallRecipe({ hiddenLayers, initializer: 'he-normal' }));
    const kernel = dataOf(tensors, 'hidden_1/kernel');
    const deviation = Math.sqrt(2 / 784);
    const { mean, deviation: found } = moments(kernel);
    assert.ok(Math.abs(mean) < 0.02 * deviation, `mean ${mean}`);
    // A normal distribution cut off at ±2 deviates by 0.87963.
    assert.ok(Math.abs(found / deviation - 0.87963) < 0.01, `deviation ${found / deviation} of the root`);
    const largest = kernel.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    assert.ok(largest <= 2 * deviation * 1.000001 && largest > 1.99 * deviation, `largest ${largest / deviation}`);
    const within = kernel.filter((value) => Math.abs(value) < deviation).length / kernel.length;
    assert.ok(Math.abs(within - 0.6827 / 0.9545) < 0.01, `${within} within one deviation`);
    assert.ok(dataOf(tensors, 'hidden_1/bias').every((value) => value === 0));
  });

  test('torch-linear is uniform in ±1/√inputs for kernel and bias', () => {
    const tensors = initialState(smallRecipe({ hiddenLayers, initializer: 'torch-linear' }));
    assertUniform(dataOf(tensors, 'hidden_1/kernel'), 1 / 28);
    const bias = dataOf(tensors, 'hidden_1/bias');
    assert.ok(bias.every((value) => Math.abs(value) <= 1 / 28));
    assert.ok(bias.some((value) => Math.abs(value) > 0.9 / 28));
    assert.ok(
      dataOf(tensors, 'logits/bias').some((value) => Math.abs(value) > 1 / 28),
      'of 128 inputs, a wider range',
    );
  });

  test('batch normalisation begins with gamma and variance 1, beta and mean 0', () => {
    const tensors = initialState(smallRecipe({ hiddenLayers }));
    for (const [name, value] of Object.entries({ gamma: 1, moving_variance: 1, beta: 0, moving_mean: 0 })) {
      assert.ok(
        dataOf(tensors, `normalization_1/${name}`).every((each) => each === value),
        name,
      );
    }
  });

  test('the same seed gives the same weights, another seed and another layer others', () => {
    const layers = [...hiddenLayers, ...hiddenLayers, ...hiddenLayers];
    const weights = (seed: number) => initialState(smallRecipe({ hiddenLayers: layers, seed }));
    assert.deepEqual(weights(1), weights(1));
    assert.notDeepEqual(dataOf(weights(1), 'hidden_1/kernel'), dataOf(weights(2), 'hidden_1/kernel'));
    assert.notDeepEqual(dataOf(weights(1), 'hidden_2/kernel'), dataOf(weights(1), 'hidden_3/kernel'));
  });

  test('an engine begins with them, its tensors in the order of networkTensors', async () => {
    const recipe = smallRecipe({ hiddenLayers: [...hiddenLayers, { ...hiddenLayers[0]!, units: 32 }] });
    const { create } = await chooseEngine('tfjs');
    const engine = await create(recipe);
    const { tensors } = await engine.snapshot();
    await engine.dispose();
    const network = Object.entries(tensors).filter(([name]) => !name.startsWith('optimizer/'));
    assert.deepEqual(
      network.map(([name, { shape }]) => ({ name, shape })),
      networkTensors(recipe).map(({ name, shape }) => ({ name, shape })),
    );
    assert.deepEqual(Object.fromEntries(network), initialState(recipe));
  });
});

function dataOf(tensors: ReturnType<typeof initialState>, name: string): Float32Array {
  return tensors[name]?.data ?? assert.fail(`no tensor ${name}`);
}

function moments(values: Float32Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

function assertUniform(values: Float32Array, limit: number): void {
  const { mean, deviation } = moments(values);
  assert.ok(Math.abs(mean) < 0.01 * limit, `mean ${mean}`);
  assert.ok(Math.abs(deviation / limit - 1 / Math.sqrt(3)) < 0.01, `deviation ${deviation / limit} of the limit`);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(largest <= limit * 1.000001 && largest > 0.999 * limit, `largest ${largest / limit} of the limit`);
}
