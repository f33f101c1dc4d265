import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { convert } from '@atelier/tfjs-to-onnx';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { artifactsOf, compare, randomTensor } from '../support/layers-parity.ts';

before(async () => {
  await tf.setBackend('cpu');
});

type Merging = InstanceType<typeof layers.Layer>;

/** A model of one merging layer over inputs of these shapes, without the batch, run by both. */
async function compareMerging(layer: Merging, shapes: readonly number[][], seed: number, options = {}) {
  const inputs = shapes.map((shape) => input({ shape }));
  const network = model({ inputs, outputs: layer.apply(inputs) as SymbolicTensor });
  const given = shapes.map((shape, index) => randomTensor([2, ...shape], seed + index));
  return compare(network, await artifactsOf(network), given, options);
}

const ELEMENTWISE = {
  Add: () => layers.add(),
  Average: () => layers.average(),
  Maximum: () => layers.maximum(),
  Minimum: () => layers.minimum(),
  Multiply: () => layers.multiply(),
};

/** Shapes without the batch that go together: of one rank or, with the batch, of several; some sizes are 1. */
const broadcastable = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    others: fc.array(fc.record({ dropped: fc.nat(2), ones: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
    isFirst: fc.boolean(),
  })
  .map(({ sizes, others, isFirst }) => {
    const shapes = others.map(({ dropped, ones }) =>
      sizes.slice(Math.min(dropped, sizes.length - 1)).map((size, axis) => (ones[axis] ? 1 : size)),
    );
    return isFirst ? [sizes, ...shapes] : [...shapes, sizes];
  });

for (const [name, build] of Object.entries(ELEMENTWISE)) {
  test(`${name} of several inputs, of one rank and of several: ONNX gives what TensorFlow.js gives`, async () => {
    await fc.assert(
      fc.asyncProperty(broadcastable, fc.nat(1000), async (shapes, seed) => {
        await compareMerging(build(), shapes, seed);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  test(`${name} of one value twice: ONNX gives what TensorFlow.js gives`, async () => {
    const x = input({ shape: [3] });
    const network = model({ inputs: x, outputs: build().apply([x, x, x]) as SymbolicTensor });
    await compare(network, await artifactsOf(network), [randomTensor([2, 3], 3)]);
  });

  test(`${name} of whole numbers: ONNX gives what TensorFlow.js gives, in its type`, async () => {
    for (const types of [
      ['int32', 'int32'],
      ['int32', 'int32', 'int32'],
      ['int32', 'float32'],
    ] as const) {
      const inputs = types.map((dtype) => input({ shape: [3], dtype }));
      const network = model({ inputs, outputs: build().apply(inputs) as SymbolicTensor });
      const given = types.map((dtype, index) => tf.tensor([5, -7 * index, 100 + index], [1, 3], dtype));
      await compare(network, await artifactsOf(network), given);
    }
  });
}

test('Concatenate along every axis: ONNX gives what TensorFlow.js gives', async () => {
  const cases = fc.record({
    shape: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }),
    place: fc.nat(2),
    seed: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ shape, sizes, place, seed }) => {
      const axis = (place % shape.length) + 1;
      const shapes = sizes.map((size) => shape.with(axis - 1, size));
      const written = axis === shape.length && seed % 2 === 0 ? -1 : axis;
      await compareMerging(layers.concatenate({ axis: written }), shapes, seed);
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('Concatenate along the second axis from the end joins the last one in TensorFlow.js, and the said one in Keras', async () => {
  const layer = () => layers.concatenate({ axis: -2 });
  const inputs = [input({ shape: [2, 3], name: 'a' }), input({ shape: [2, 3], name: 'b' })];
  const network = model({ inputs, outputs: layer().apply(inputs) as SymbolicTensor });
  const artifacts = await artifactsOf(network);
  const { summary } = await compare(network, artifacts, [randomTensor([2, 2, 3], 1), randomTensor([2, 2, 3], 2)]);
  assert.deepEqual(summary.outputs[0]?.shape, ['batch', 2, 6]);
  assert.match(summary.warnings[0] ?? '', /ignores axis -2 of a Concatenate/);
  assert.deepEqual(convert(artifacts, { semantics: 'keras' }).summary.outputs[0]?.shape, ['batch', 4, 3]);
});

test('Concatenate of whole numbers: ONNX gives what TensorFlow.js gives, in its type', async () => {
  const inputs = [input({ shape: [2], dtype: 'int32' }), input({ shape: [3], dtype: 'int32' })];
  const network = model({ inputs, outputs: layers.concatenate().apply(inputs) as SymbolicTensor });
  const given = [tf.tensor([[7, -3]], [1, 2], 'int32'), tf.tensor([[1, 2, 90_000]], [1, 3], 'int32')];
  const { summary } = await compare(network, await artifactsOf(network), given);
  assert.equal(summary.outputs[0]?.type, 'int32');
});

test('Dot along every pair of axes, of ranks 2 and 3, normalised or not: ONNX gives what TensorFlow.js gives', async () => {
  const cases = fc.record({
    ranks: fc.tuple(fc.constantFrom(2, 3), fc.constantFrom(2, 3)),
    places: fc.tuple(fc.nat(1), fc.nat(1)),
    sizes: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    isNegative: fc.boolean(),
    normalize: fc.boolean(),
    seed: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ ranks, places, sizes, isNegative, normalize, seed }) => {
      const axes = ranks.map((rank, index) => (rank === 2 ? 1 : (places[index] ?? 0) + 1));
      const shapes = ranks.map((rank, index) => {
        const others = rank === 2 ? [] : [sizes[index + 1] ?? 1];
        return others.toSpliced((axes[index] ?? 1) - 1, 0, sizes[0]);
      });
      // Negative axes only as one number: TensorFlow.js cannot build a model with a list of them.
      const last = ranks.map((rank) => rank - 1);
      const isLast = axes.every((axis, index) => axis === last[index]);
      const written = isNegative && isLast ? -1 : axes[0] === axes[1] && isNegative ? axes[0] : axes;
      const layer = layers.dot({ axes: written as number, normalize });
      await compareMerging(layer, shapes, seed);
    }),
    { seed: 1, numRuns: 80 },
  );
});

test('merging layers over an open axis of time: ONNX gives what TensorFlow.js gives', async () => {
  const a = input({ shape: [null, 2], name: 'a' });
  const b = input({ shape: [null, 2], name: 'b' });
  const sum = layers.add().apply([a, b]) as SymbolicTensor;
  const joined = layers.concatenate({ axis: 1 }).apply([sum, b]) as SymbolicTensor;
  const products = layers.dot({ axes: 2 }).apply([joined, a]) as SymbolicTensor;
  const network = model({ inputs: [a, b], outputs: [joined, products] });
  const artifacts = await artifactsOf(network);
  for (const opset of [13, 18, 21]) {
    await compare(network, artifacts, [randomTensor([2, 5, 2], 1), randomTensor([2, 5, 2], 2)], { opset });
  }
});
