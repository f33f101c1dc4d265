import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACTIVATIONS, type Recipe, type RecipeSource } from '@atelier/domain';
import { convert as toTfjs } from '@atelier/onnx-to-tfjs';
import { decodeModel, encodeModel } from '@atelier/onnx';
import { convert as toOnnx, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import { initialState, layersModel, RECIPES } from '@atelier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { layers, type LayersModel, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { assertClose, loaded } from '../support/onnx-to-tfjs-parity.ts';
import { smallRecipe } from '../support/small-recipe.ts';
import { uniform } from '../../scripts/src/verification/uniform.ts';

/** Relative to the largest output; a file holds settings such as epsilon as float32, which moves predictions a little. */
const TOLERANCE = 1e-6;

const HIDDEN_LAYERS: RecipeSource['hiddenLayers'] = ACTIVATIONS.map((activation, index) => ({
  units: 8 + index,
  activation,
  batchNormalization: (['none', 'before-activation', 'after-activation'] as const)[index % 3] ?? 'none',
  dropout: index % 2 === 0 ? 0.25 : 0,
}));

describe('TensorFlow.js to ONNX and back', () => {
  for (const recipe of [
    ...RECIPES.values(),
    smallRecipe({ name: 'all-activations', hiddenLayers: HIDDEN_LAYERS, inputRange: [-1, 1] }),
  ]) {
    test(`${recipe.name}: the same layers with the same names and settings, and the same predictions`, async () => {
      const before = layersModel(recipe, { tensors: changedState(recipe) });
      const after = backFrom(before);
      assert.deepEqual(topologyOf(after.modelTopology), topologyOf(before.modelTopology).filter(isKept));
      await assertSame(await loadedArtifacts(before), await loaded(after), [3, 28, 28]);
    });
  }

  test('activations in their layers stay there, by the names of the layers', async () => {
    const network = sequential({
      layers: [
        layers.dense({ units: 6, activation: 'relu', inputShape: [5], name: 'hidden' }),
        layers.batchNormalization({ name: 'normalized' }),
        layers.activation({ activation: 'elu', name: 'active' }),
        layers.dense({ units: 4, activation: 'tanh', useBias: false, name: 'second' }),
        layers.dense({ units: 3, activation: 'softmax', name: 'probabilities' }),
      ],
    });
    await assertRoundTrip(network, [4, 5], (names) =>
      assert.deepEqual(names, [
        ...['InputLayer hidden_input', 'Dense hidden relu', 'BatchNormalization normalized', 'Activation active elu'],
        ...['Dense second tanh', 'Dense probabilities softmax'],
      ]),
    );
  });

  test('a convolutional network keeps channels last and has no Permute', async () => {
    const network = sequential({
      layers: [
        layers.conv2d({
          filters: 6,
          kernelSize: 3,
          padding: 'same',
          strides: 2,
          activation: 'relu',
          inputShape: [13, 11, 3],
        }),
        layers.batchNormalization(),
        layers.maxPooling2d({ poolSize: 2, padding: 'same' }),
        layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: 'tanh' }),
        layers.averagePooling2d({ poolSize: 2, strides: 1, padding: 'same' }),
        layers.upSampling2d({ size: [2, 2] }),
        layers.flatten(),
        layers.dense({ units: 4 }),
      ],
    });
    await assertRoundTrip(network, [2, 13, 11, 3], (names) => {
      assert.deepEqual(
        names.filter((name) => name.startsWith('Permute')),
        [],
      );
    });
  });

  test('global pooling instead of Flatten', async () => {
    const network = sequential({
      layers: [
        layers.conv2d({ filters: 6, kernelSize: 3, inputShape: [8, 8, 2] }),
        layers.globalAveragePooling2d({}),
        layers.dense({ units: 4, activation: 'softmax' }),
      ],
    });
    await assertRoundTrip(network, [2, 8, 8, 2]);
  });
});

/** What only training does, and what does nothing, leaves no trace in an ONNX file. */
const isKept = (layer: string) => !/^Dropout|^Activation \w+ \{/.test(layer);

function backFrom(artifacts: LayersModelArtifacts) {
  return toTfjs(decodeModel(encodeModel(toOnnx(artifacts).model), 'the test')).artifacts;
}

async function assertRoundTrip(
  network: LayersModel,
  shape: number[],
  check: (names: string[]) => void = () => undefined,
) {
  await tf.setBackend('cpu');
  const next = uniform(3);
  network.setWeights(
    network.weights.map((weight) => {
      const [centre, spread] = weight.originalName.includes('variance') ? [1, 0.5] : [0, 1];
      const count = tf.util.sizeFromShape(weight.shape as number[]);
      return tf.tensor(
        Float32Array.from({ length: count }, () => centre + spread * (next() - 0.5)),
        weight.shape as number[],
      );
    }),
  );
  let saved: tf.io.ModelArtifacts | undefined;
  await network.save({
    save: async (artifacts: tf.io.ModelArtifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  const after = backFrom(saved ?? assert.fail('nothing was saved'));
  check(topologyOf(after.modelTopology).map((layer) => layer.split(' {')[0] ?? ''));
  await assertSame(network, await loaded(after), shape);
}

/** Class, name and whatever decides what each layer computes. */
function topologyOf(topology: unknown): string[] {
  const { config } = topology as { config: { layers: { class_name: string; config: Record<string, unknown> }[] } };
  return config.layers.map(({ class_name: className, config: settings }) => {
    const { name, activation } = settings;
    const kept = ['units', 'use_bias', 'axis', 'momentum', 'epsilon', 'center', 'scale', 'offset', 'batch_input_shape'];
    const known = kept.flatMap((key) => {
      const setting = settings[key];
      if (setting === undefined || key === 'momentum') return []; // the file's momentum is that of ONNX
      return [[key, typeof setting === 'number' ? Math.fround(setting) : setting]];
    });
    return [
      className,
      name,
      ...(activation === undefined || activation === 'linear' ? [] : [activation]),
      JSON.stringify(Object.fromEntries(known) as object),
    ].join(' ');
  });
}

async function assertSame(before: LayersModel, after: LayersModel, shape: number[]) {
  const next = uniform(5);
  const count = tf.util.sizeFromShape(shape);
  const images = tf.tensor(
    Float32Array.from({ length: count }, () => (shape.length === 3 ? 255 * next() : 2 * next() - 1)),
    shape,
  );
  const [expected, found] = [before, after].map((network) => network.predict(images) as tf.Tensor);
  assert.deepEqual(found?.shape, expected?.shape);
  assertClose((found ?? assert.fail()).dataSync(), (expected ?? assert.fail()).dataSync(), TOLERANCE);
}

function changedState(recipe: Recipe) {
  const tensors = initialState(recipe);
  for (const tensor of Object.values(tensors)) {
    tensor.data = tensor.data.map((value, index) => value + ((index * 7) % 13) / 64);
  }
  return tensors;
}

async function loadedArtifacts(artifacts: ReturnType<typeof layersModel>): Promise<LayersModel> {
  await tf.setBackend('cpu');
  const load = async () => ({
    modelTopology: structuredClone(artifacts.modelTopology),
    weightSpecs: structuredClone(artifacts.weightSpecs) as tf.io.WeightsManifestEntry[],
    weightData: new Uint8Array(artifacts.weightData).buffer,
  });
  return loadLayersModel({ load });
}
