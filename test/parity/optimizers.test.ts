import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { float32Values } from '@atelier/onnx';
import { namedState, type OptimizerChoice, type TrainingOptions, trainingStep } from '@atelier/onnx-training';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { BATCH, CLASSES, drawnBatches, INPUTS, smallNetwork } from '../support/small-network.ts';
import { begin, inOneLoop, stepByStep } from '../support/training-runs.ts';

/** Of the Euclidean norm of a tensor, after ten steps in float32; the wrong sign of one term is a hundred times that. */
const TOLERANCE = 1e-5;

/** The rate changes from step to step, which tells apart what is scaled when it is added from what is scaled later. */
const RATES = Array.from({ length: 10 }, (_, step) => 0.02 * (1 + Math.cos((Math.PI * step) / 10)));

const network = smallNetwork();
const batches = drawnBatches(RATES.length);

/** Everything that a step may be told beside its loss and parameters. */
type Settings = Omit<TrainingOptions, 'loss' | 'parameters' | 'sizes' | 'updates'>;

const momentum: OptimizerChoice = { kind: 'momentum', momentum: 0.9, nesterov: false };
const adam: OptimizerChoice = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
const decayOf = (kind: 'l2' | 'decoupled', parameters: string[]) => ({ kind, rate: 0.5, parameters });

const CASES: Record<string, Settings> = {
  'plain SGD': { optimizer: { kind: 'sgd' } },
  momentum: { optimizer: momentum },
  "Nesterov's momentum": { optimizer: { ...momentum, nesterov: true } },
  RMSprop: { optimizer: { kind: 'rmsprop', decay: 0.9, momentum: 0, epsilon: 1e-7 } },
  'RMSprop with momentum': { optimizer: { kind: 'rmsprop', decay: 0.9, momentum: 0.5, epsilon: 1e-7 } },
  Adam: { optimizer: adam },
  'Adam with a large epsilon': { optimizer: { ...adam, epsilon: 0.1 } },
  'RMSprop with a large epsilon': { optimizer: { kind: 'rmsprop', decay: 0.9, momentum: 0, epsilon: 0.1 } },
  'AdamW, decay on kernels': { optimizer: adam, weightDecay: decayOf('decoupled', network.kernels) },
  'AdamW, decay on all': { optimizer: adam, weightDecay: decayOf('decoupled', network.parameters) },
  'SGD with l2 decay on kernels': { optimizer: { kind: 'sgd' }, weightDecay: decayOf('l2', network.kernels) },
  'Adam with l2 decay on all': { optimizer: adam, weightDecay: decayOf('l2', network.parameters) },
  'momentum with decoupled decay': { optimizer: momentum, weightDecay: decayOf('decoupled', network.kernels) },
  'SGD, gradients clipped': { optimizer: { kind: 'sgd' }, clipGlobalNorm: 0.1 },
  'Adam, gradients clipped and l2 decay': {
    optimizer: adam,
    clipGlobalNorm: 0.1,
    weightDecay: decayOf('l2', network.kernels),
  },
  'momentum, weights averaged': { optimizer: momentum, averageDecay: 0.5 },
  'AdamW, clipped and averaged': {
    optimizer: adam,
    weightDecay: decayOf('decoupled', network.kernels),
    clipGlobalNorm: 0.1,
    averageDecay: 0.999,
  },
};

const stepOf = (settings: Settings, packBelow?: number) =>
  trainingStep(network.forward, {
    loss: 'loss',
    parameters: network.parameters,
    sizes: { batch: BATCH },
    ...settings,
    ...(packBelow === undefined ? {} : { packBelow }),
  });

describe('ten optimiser steps', () => {
  before(async () => {
    await tf.setBackend('cpu');
  });

  for (const [title, settings] of Object.entries(CASES)) {
    test(`leave the weights where tfjs leaves them: ${title}`, async () => {
      const step = stepOf(settings);
      const { losses, state } = await inOneLoop(step, begin(step), batches, RATES);
      const found = namedState(step, state);
      const expected = trainedByTfjs(settings);
      for (const [name, values] of Object.entries(expected.weights)) near(found[name], values, name);
      near(Float32Array.from(losses), Float32Array.from(expected.losses), 'losses');
      const initial = network.forward.initializers.find(({ name }) => name === 'kernel_1');
      assert.ok(initial !== undefined && distance(found['kernel_1'], float32Values(initial)) > 100 * TOLERANCE);
    });

    test(`are the same to the bit one by one and in one loop: ${title}`, async () => {
      const step = stepOf(settings);
      const loop = await inOneLoop(step, begin(step), batches, RATES);
      const single = await stepByStep(step, begin(step), batches, RATES);
      assert.deepEqual(loop.losses, single.losses);
      assert.deepEqual(namedState(step, loop.state), namedState(step, single.state));
    });

    test(`are the same with parameters packed and each by itself: ${title}`, async () => {
      const [packed, plain] = [stepOf(settings), stepOf(settings, 0)];
      assert.ok(packed.state.length < plain.state.length);
      const [first, second] = [
        await inOneLoop(packed, begin(packed), batches, RATES),
        await inOneLoop(plain, begin(plain), batches, RATES),
      ];
      const [found, expected] = [namedState(packed, first.state), namedState(plain, second.state)];
      assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
      // Not to the bit: onnxruntime fuses what is added to a product in one of the two and not in the other.
      for (const [name, values] of Object.entries(expected)) near(found[name], values, name);
    });
  }
});

/** The same steps with tf.train's optimisers and tfjs' own gradients; decay, clipping and averages by their formulas. */
function trainedByTfjs(settings: Settings): { weights: Record<string, Float32Array>; losses: number[] } {
  return tf.tidy(() => {
    const { weightDecay, clipGlobalNorm, averageDecay } = settings;
    const variables = new Map(
      network.forward.initializers
        .filter(({ name }) => network.parameters.includes(name))
        .map((each) => [each.name, tf.variable(tf.tensor(float32Values(each), [...each.shape]), true)] as const),
    );
    const variable = (name: string) => variables.get(name) ?? tf.variable(tf.scalar(NaN));
    const averages = new Map([...variables].map(([name, weights]) => [name, tf.clone(weights)] as const));
    const optimizer = optimizerOf(settings.optimizer);
    const losses = RATES.map((rate, step) => {
      const slice = (values: Float32Array, size: number) =>
        tf.tensor2d(values.slice(step * BATCH * size, (step + 1) * BATCH * size), [BATCH, size]);
      const { value, grads } = tf.variableGrads(() => {
        const product = tf.add(tf.matMul(slice(batches.x, INPUTS), variable('kernel_1')), variable('bias_1'));
        const logits = tf.add(tf.matMul(tf.tanh(product), variable('kernel_2')), variable('bias_2'));
        const agreement = tf.mul(tf.logSoftmax(logits), slice(batches.targets, CLASSES));
        return tf.neg(tf.div(tf.sum(agreement), BATCH));
      }, [...variables.values()]);
      const norm = Math.hypot(...Object.values(grads).flatMap((gradient) => [...gradient.dataSync()]));
      const factor = clipGlobalNorm === undefined ? 1 : Math.min(1, clipGlobalNorm / norm);
      const gradients: Record<string, tf.Tensor> = {};
      for (const [name, weights] of variables) {
        const gradient = tf.mul(grads[weights.name] ?? tf.scalar(NaN), factor);
        const decay = weightDecay?.parameters.includes(name) === true ? weightDecay : undefined;
        const isL2 = decay?.kind === 'l2';
        gradients[weights.name] = isL2 ? tf.add(gradient, tf.mul(weights, decay.rate)) : gradient;
        if (decay?.kind === 'decoupled') weights.assign(tf.mul(weights, 1 - rate * decay.rate));
      }
      Object.assign(optimizer, { learningRate: rate });
      if (optimizer instanceof tf.SGDOptimizer && 'setLearningRate' in optimizer) optimizer.setLearningRate(rate);
      optimizer.applyGradients(gradients);
      if (averageDecay !== undefined) {
        const decay = Math.min(averageDecay, (1 + step) / (10 + step));
        for (const [name, weights] of variables) {
          const average = averages.get(name) ?? tf.scalar(NaN);
          averages.set(name, tf.add(tf.mul(average, decay), tf.mul(weights, 1 - decay)));
        }
      }
      return value.dataSync()[0] ?? NaN;
    });
    const read = (tensors: Iterable<readonly [string, tf.Tensor]>, prefix: string) =>
      [...tensors].map(([name, each]) => [`${prefix}${name}`, each.dataSync() as Float32Array] as const);
    const weights = [...read(variables, ''), ...(averageDecay === undefined ? [] : read(averages, 'average/'))];
    return { weights: Object.fromEntries(weights), losses };
  });
}

function optimizerOf(choice: OptimizerChoice): tf.Optimizer {
  const rate = RATES[0] ?? NaN;
  switch (choice.kind) {
    case 'sgd':
      return tf.train.sgd(rate);
    case 'momentum':
      return tf.train.momentum(rate, choice.momentum ?? NaN, choice.nesterov);
    case 'rmsprop':
      return tf.train.rmsprop(rate, choice.decay, choice.momentum, choice.epsilon);
    case 'adam':
      return tf.train.adam(rate, choice.beta1, choice.beta2, choice.epsilon);
  }
}

function near(found: Float32Array | undefined, expected: Float32Array, name: string): void {
  const off = distance(found, expected);
  assert.ok(off <= TOLERANCE, `${name} is off by ${off} of its norm`);
}

/** The Euclidean norm of the difference, over that of what is expected. */
function distance(found: Float32Array | undefined, expected: Float32Array): number {
  if (found?.length !== expected.length) return NaN;
  return Math.hypot(...expected.map((value, index) => value - (found[index] ?? NaN))) / Math.hypot(...expected);
}
