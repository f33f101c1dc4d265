import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ACTIVATIONS, type Recipe, type RecipeSource } from '@atelier/domain';
import { type Examples, withTargets } from '@atelier/fashion-mnist';
import { chooseEngine, type EngineState, initialState, layersModel, RECIPES } from '@atelier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { drawnExamples } from '../support/drawn-examples.ts';
import { smallRecipe } from '../support/small-recipe.ts';

/** The same backend computes both; only the order of a few roundings could differ. */
const TOLERANCE = 1e-5;

const examples = drawnExamples(100);

const INITIALIZERS = ['glorot-uniform', 'he-normal', 'torch-linear'] as const;

const HIDDEN_LAYERS: RecipeSource['hiddenLayers'] = ACTIVATIONS.map((activation, index) => ({
  units: 8 + index,
  activation,
  batchNormalization: (['none', 'before-activation', 'after-activation'] as const)[index % 3] ?? 'none',
  dropout: index % 2 === 0 ? 0.25 : 0,
}));

describe('the LayersModel that we write', () => {
  let create: Awaited<ReturnType<typeof chooseEngine>>['create'];
  before(async () => {
    ({ create } = await chooseEngine('tfjs'));
  });

  for (const recipe of [
    ...RECIPES.values(),
    ...INITIALIZERS.map((initializer) =>
      smallRecipe({ name: `all-layers-${initializer}`, hiddenLayers: HIDDEN_LAYERS, initializer, inputRange: [-1, 1] }),
    ),
  ]) {
    test(`is for ${recipe.name} what TensorFlow.js itself saves`, async () => {
      const written = layersModel(recipe, { tensors: initialState(recipe) });
      const loaded = await load(written);
      const saved = await savedByTensorFlow(loaded);
      assert.deepEqual(written.modelTopology, saved.modelTopology);
      assert.deepEqual(written.weightSpecs, saved.weightSpecs);
      assert.deepEqual(written.weightData, saved.weightData);
      loaded.dispose();
    });
  }

  test("gives, loaded by TensorFlow.js, the engine's logits after some steps with every activation", async () => {
    const recipe = smallRecipe({ hiddenLayers: HIDDEN_LAYERS, inputRange: [-1, 1] });
    const engine = await create(recipe);
    await engine.train(withTargets(examples, 0), new Float32Array(5).fill(0.01));
    const loaded = await load(layersModel(recipe, await engine.snapshot()));
    assertClose(logitsOf(loaded, examples), await engine.logits(examples));
    await engine.dispose();
    loaded.dispose();
  });

  test('has the moving averages where the state has them, and never the parameters beside them', async () => {
    const recipe = smallRecipe();
    const tensors = initialState(recipe);
    const averages = Object.fromEntries(
      Object.entries(initialState({ ...recipe, seed: 99 }))
        .filter(([name]) => !name.includes('/moving_'))
        .map(([name, tensor]) => [`average/${name}`, tensor]),
    );
    assert.deepEqual(
      layersModel(recipe, { tensors: { ...tensors, ...averages } }).weightData,
      layersModel(recipe, { tensors: initialState({ ...recipe, seed: 99 }) }).weightData,
    );
  });

  test('refuses the tensors of another network by name and shape', () => {
    const recipe = smallRecipe();
    const tensors: EngineState['tensors'] = initialState(recipe);
    const wider = smallRecipe({ hiddenLayers: [{ ...hiddenOf(recipe), units: 17 }] });
    assert.throws(() => layersModel(wider, { tensors }), {
      name: 'RangeError',
      message: '"hidden_1/kernel" has shape [784,16]; expected [784,17].',
    });
    const withoutBias = Object.fromEntries(Object.entries(tensors).filter(([name]) => name !== 'logits/bias'));
    assert.throws(() => layersModel(recipe, { tensors: withoutBias }), {
      name: 'RangeError',
      message: '"logits/bias" is missing; expected [10].',
    });
  });
});

function hiddenOf({ hiddenLayers }: Recipe) {
  return hiddenLayers[0] ?? assert.fail();
}

function load({ weightData, weightSpecs, ...rest }: ReturnType<typeof layersModel>): Promise<LayersModel> {
  const artifacts = {
    ...rest,
    weightSpecs: weightSpecs as tf.io.WeightsManifestEntry[],
    weightData: weightData.slice().buffer,
  };
  return loadLayersModel({ load: async () => artifacts });
}

async function savedByTensorFlow(model: LayersModel) {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const { modelTopology, weightSpecs, weightData } = saved ?? assert.fail();
  return { modelTopology, weightSpecs, weightData: new Uint8Array(weightData as ArrayBuffer) };
}

function logitsOf(model: LayersModel, { images, count }: Examples): Float32Array {
  return tf.tidy(() => {
    const pixels = tf.tensor3d(Float32Array.from(images), [count, 28, 28]);
    return (model.predict(pixels) as tf.Tensor).dataSync() as Float32Array;
  });
}

function assertClose(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(largest > 0.1, 'logits that are all zero would agree whatever we did');
  actual.forEach((value, index) => {
    const difference = Math.abs(value - (expected[index] ?? NaN));
    assert.ok(difference <= TOLERANCE, `logit ${index}: ${value}, the engine ${expected[index]}`);
  });
}
