import { before, test } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { input, layers, model, sequential, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { artifactsOf, compare, randomise } from '../support/layers-parity.ts';

before(async () => {
  await tf.setBackend('cpu');
});

const [BATCH, TIME, FEATURES] = [3, 5, 2];

const one = (value: unknown) => value as SymbolicTensor;
const sequence = (name: string) => input({ shape: [TIME, FEATURES], name });
const masked = (x: SymbolicTensor) => one(layers.masking({}).apply(x));
const lstm = (returnSequences = false) => layers.lstm({ units: 3, returnSequences, recurrentInitializer: 'zeros' });

/** Sequences with zeros at the end, and in the middle: other ones for each number. */
function padded(seed: number, time = TIME) {
  const values = Array.from({ length: BATCH * time }, (_, step) => {
    const isOff = (step * 7 + seed * 3) % 5 < 2;
    return Array.from({ length: FEATURES }, (_, feature) => (isOff ? 0 : Math.sin(seed + step * 3 + feature)));
  });
  return tf.tensor(values.flat(), [BATCH, time, FEATURES]);
}

/** By name, what stands between two masked inputs `a` and `b`, an input `c` without a mask, and the output. */
const networks: Record<
  string,
  (a: SymbolicTensor, b: SymbolicTensor, c: SymbolicTensor) => SymbolicTensor | SymbolicTensor[]
> = {
  'Concatenate of two masked values along the features': (a, b) =>
    one(lstm().apply(one(layers.concatenate().apply([a, b])))),
  'Concatenate of two masked values along time': (a, b) =>
    one(lstm().apply(one(layers.concatenate({ axis: 1 }).apply([a, b])))),
  'Concatenate of a masked value and one without': (a, _b, c) =>
    one(lstm().apply(one(layers.concatenate().apply([a, c])))),
  'Concatenate of a value without a mask and one with': (a, _b, c) =>
    one(lstm().apply(one(layers.concatenate().apply([c, a])))),
  'Add of a value without a mask and one with': (a, _b, c) => one(lstm().apply(one(layers.add().apply([c, a])))),
  'layers that keep a mask': (a) =>
    one(
      lstm().apply(
        one(layers.prelu().apply(one(layers.dense({ units: 2 }).apply(one(layers.dropout({ rate: 0.1 }).apply(a)))))),
      ),
    ),
  'a layer that takes the mask off, which the next recurrent layer gets all the same': (a) =>
    one(lstm().apply(one(layers.permute({ dims: [1, 2] }).apply(one(layers.leakyReLU().apply(a)))))),
  'a convolution between a mask and a recurrent layer': (a) =>
    one(lstm().apply(one(layers.conv1d({ filters: 2, kernelSize: 2, padding: 'same' }).apply(a)))),
  'an autoencoder, whose decoder gets the mask of the encoder': (a) =>
    one(lstm(true).apply(one(layers.repeatVector({ n: TIME }).apply(one(lstm().apply(a)))))),
  'a branch without a mask beside one with, first': (a, _b, c) =>
    one(layers.concatenate().apply([one(lstm().apply(c)), one(lstm().apply(a))])),
  'a branch without a mask beside one with, second': (a, _b, c) =>
    one(layers.concatenate().apply([one(lstm().apply(a)), one(lstm().apply(c))])),
  'two outputs, of which the second has no mask': (a, _b, c) => [one(lstm().apply(a)), one(lstm().apply(c))],
  'two outputs, of which the first has no mask': (a, _b, c) => [one(lstm().apply(c)), one(lstm().apply(a))],
  'a model inside that gets a masked value': (a) => {
    const x = sequence('inside');
    return one(model({ inputs: x, outputs: one(lstm().apply(x)) }).apply(a));
  },
  'a model inside that makes a mask, which a layer behind it gets': (_a, _b, c) =>
    one(
      lstm().apply(
        one(sequential({ layers: [layers.masking({ inputShape: [TIME, FEATURES] }), lstm(true)] }).apply(c)),
      ),
    ),
  'a model inside that makes a mask while there is one outside': (a, _b, c) => {
    const inner = sequential({ layers: [layers.masking({ inputShape: [TIME, FEATURES] }), lstm(true)] });
    const outside = one(lstm(true).apply(a));
    return one(lstm().apply(one(layers.concatenate().apply([one(inner.apply(c)), outside]))));
  },
};

for (const [title, build] of Object.entries(networks)) {
  test(`${title}: ONNX gives what TensorFlow.js gives`, async () => {
    const [a, b, c] = [sequence('a'), sequence('b'), sequence('c')] as const;
    const outputs = build(masked(a), masked(b), c);
    const reached = new Set<SymbolicTensor>();
    const reach = (tensor: SymbolicTensor) => {
      reached.add(tensor);
      tensor.inputs.forEach(reach);
    };
    [outputs].flat().forEach(reach);
    const inputs = [a, b, c].filter((each) => reached.has(each));
    const network = model({ inputs, outputs });
    randomise(network, 7);
    const given = inputs.map((each) => padded([a, b, c].indexOf(each)));
    await compare(network, await artifactsOf(network), given);
  });
}
