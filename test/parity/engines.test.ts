import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Recipe, RecipeSource } from '@atelier/domain';
import { withTargets } from '@atelier/fashion-mnist';
import { chooseEngine, createOnnxEngine, type EngineFactory, type EngineState } from '@atelier/trainer';
import { drawnExamples } from '../support/drawn-examples.ts';
import { furthest } from '../support/engine-states.ts';
import { smallLayer, smallRecipe } from '../support/small-recipe.ts';

/**
 * Of weights, losses and logits after ten steps in float32, whose sums the two runtimes take in other orders. All are
 * numbers around 1.
 */
const TOLERANCE = 1e-4;

/** Nine whole batches and a short one, each at a rate of its own. */
const examples = withTargets(drawnExamples(187), 0.1);
const scheduled = (peak: number) =>
  Float32Array.from({ length: 10 }, (_, step) => (peak / 2) * (1 + Math.cos((Math.PI * step) / 10)));

// No dropout: the engines draw masks of their own.
const hiddenLayers = [
  smallLayer({ batchNormalization: 'before-activation' }),
  smallLayer({ units: 12, batchNormalization: 'after-activation' }),
];

// A bias that batch normalisation undoes has a gradient of rounding errors; a small epsilon would blow them up to steps.
const adam = { kind: 'adam' as const, learningRate: 0.01, epsilon: 1e-3 };
const momentum = { kind: 'momentum' as const, learningRate: 0.05 };
const sgd = { kind: 'sgd' as const, learningRate: 0.1 };
const rmsprop = { kind: 'rmsprop' as const, learningRate: 0.01, epsilon: 1e-3 };

const CASES: Record<string, Partial<RecipeSource> & Pick<RecipeSource, 'optimizer'>> = {
  'plain SGD': { optimizer: sgd },
  momentum: { optimizer: momentum },
  "Nesterov's momentum": { optimizer: { ...momentum, nesterov: true } },
  RMSprop: { optimizer: rmsprop },
  'RMSprop with momentum': { optimizer: { ...rmsprop, momentum: 0.5 } },
  Adam: { optimizer: adam },
  'AdamW on kernels': { optimizer: adam, weightDecay: { kind: 'decoupled', rate: 0.5, appliesTo: 'kernels' } },
  'AdamW on all': { optimizer: adam, weightDecay: { kind: 'decoupled', rate: 0.5, appliesTo: 'all' } },
  'momentum with l2 decay on kernels': {
    optimizer: momentum,
    weightDecay: { kind: 'l2', rate: 0.1, appliesTo: 'kernels' },
  },
  'Adam with l2 decay on all': { optimizer: adam, weightDecay: { kind: 'l2', rate: 0.1, appliesTo: 'all' } },
  'SGD, gradients clipped': { optimizer: sgd, gradientClipping: { globalNorm: 0.2 } },
  'Adam, weights averaged': { optimizer: adam, weightAveraging: { decay: 0.3 } },
  'AdamW, clipped and averaged, from pixels around 0 and torch-linear weights': {
    optimizer: adam,
    weightDecay: { kind: 'decoupled', rate: 0.5, appliesTo: 'kernels' },
    gradientClipping: { globalNorm: 0.2 },
    weightAveraging: { decay: 0.999 },
    inputRange: [-1, 1],
    initializer: 'torch-linear',
  },
  ...Object.fromEntries(
    (['gelu', 'elu', 'selu', 'tanh', 'sigmoid', 'linear'] as const).map((activation) => [
      `SGD through ${activation}`,
      { optimizer: sgd, hiddenLayers: hiddenLayers.map((each) => ({ ...each, activation })) },
    ]),
  ),
};

describe('ten steps of the same recipe, without dropout, on both training engines', () => {
  let engines: EngineFactory[];
  before(async () => {
    const { create } = await chooseEngine('tfjs', 'cpu');
    engines = [create, (recipe) => createOnnxEngine(recipe, { threads: 1 })];
  });

  for (const [title, change] of Object.entries(CASES)) {
    test(`give the same losses, weights and logits: ${title}`, async () => {
      const recipe = smallRecipe({ hiddenLayers, batchNormalization: { momentum: 0.8 }, ...change });
      const [tfjs, onnx] = [await trainedBy(engines[0], recipe), await trainedBy(engines[1], recipe)];
      assert.deepEqual(Object.keys(onnx.values).sort(), Object.keys(tfjs.values).sort());
      for (const [name, values] of Object.entries(tfjs.values)) {
        const difference = furthest(values, onnx.values[name] ?? new Float32Array());
        assert.ok(difference <= TOLERANCE, `${name} differs by ${difference}`);
      }
    });
  }
});

/** What is to agree after the steps, by name; beginning with the same weights is part of the agreement. */
async function trainedBy(create: EngineFactory | undefined, recipe: Recipe) {
  assert.ok(create);
  const engine = await create(recipe);
  try {
    const initial = shared(await engine.snapshot(), 'initial ');
    const losses = await engine.train(examples, scheduled(recipe.optimizer.learningRate));
    const values = { ...initial, ...shared(await engine.snapshot()), losses, logits: await engine.logits(examples) };
    return { values: values as Record<string, Float32Array> };
  } finally {
    await engine.dispose();
  }
}

/** All but what each engine's optimiser keeps in a form of its own. */
function shared({ tensors }: EngineState, prefix = ''): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => !name.startsWith('optimizer/'))
      .map(([name, { data }]) => [`${prefix}${name}`, data]),
  );
}
