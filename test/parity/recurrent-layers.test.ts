import { before, describe, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, type LayersModel, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { artifactsOf, compare, randomise, randomTensor, TOLERANCE } from '../support/layers-parity.ts';

before(async () => {
  await tf.setBackend('cpu');
});

type Layer = InstanceType<typeof layers.Layer>;
type LstmArguments = Parameters<typeof layers.lstm>[0];

/** Those that a cell may have; names as TensorFlow.js takes them. */
const ACTIVATIONS = [
  'elu',
  'gelu',
  'hardSigmoid',
  'linear',
  'logSoftmax',
  'mish',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'tanh',
] as const;

const activation = fc.constantFrom(...ACTIVATIONS) as fc.Arbitrary<LstmArguments['activation']>;

const MAKERS: Record<string, (settings: LstmArguments) => Layer> = {
  SimpleRNN: (settings) => layers.simpleRNN(settings),
  GRU: (settings) => layers.gru(settings),
  LSTM: (settings) => layers.lstm(settings),
};

/** Settings of a layer; the recurrent initializer is named because the usual one needs a method that is not there. */
const settings = fc.record({
  units: fc.integer({ min: 1, max: 4 }),
  activation,
  recurrentActivation: activation,
  useBias: fc.boolean(),
  returnSequences: fc.boolean(),
  goBackwards: fc.boolean(),
  recurrentInitializer: fc.constant('zeros' as const),
});

const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  time: fc.integer({ min: 1, max: 5 }),
  features: fc.integer({ min: 1, max: 3 }),
});
const seed = fc.integer({ min: 1, max: 1000 });

/**
 * For cells with elu or selu: onnxruntime computes exp(x) - 1 in float32, whose rounding is all that is left near 0, and
 * the unbounded activations of the gates multiply it.
 */
const ROUGH_TOLERANCE = 1e-3;

function toleranceOf(...activations: unknown[]): number {
  return activations.some((name) => name === 'elu' || name === 'selu') ? ROUGH_TOLERANCE : TOLERANCE;
}

/** Compares, where there is something to compare: a network of rectifiers may give zeros, an unbounded one infinities. */
async function agree(network: LayersModel, inputs: tf.Tensor[], tolerance = TOLERANCE): Promise<void> {
  const given = [network.predict(inputs)].flat();
  const isTelling = given.every((tensor) => {
    const values = Array.from(tensor.dataSync());
    return values.every(Number.isFinite) && values.some((value) => Math.abs(value) > 0.05);
  });
  if (isTelling) await compare(network, await artifactsOf(network), inputs, { tolerance });
  network.dispose();
}

describe('recurrent layers give what TensorFlow.js gives', () => {
  for (const [className, make] of Object.entries(MAKERS)) {
    test(className, async () => {
      const property = fc.asyncProperty(settings, sizes, seed, async (config, { batch, time, features }, drawn) => {
        const input = layers.inputLayer({ batchInputShape: [null as never, null as never, features] });
        const network = sequential({ layers: [input, make({ ...config })] });
        randomise(network, drawn);
        const tolerance = toleranceOf(config.activation, config.recurrentActivation);
        await agree(network, [randomTensor([batch, time, features], drawn + 1)], tolerance);
      });
      await fc.assert(property, { seed: 1, numRuns: 100 });
    });
  }
});
