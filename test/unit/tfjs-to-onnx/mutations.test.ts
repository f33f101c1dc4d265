import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { encodeModel } from '@atelier/onnx';
import { convert, joinGroups, readModelJson } from '@atelier/tfjs-to-onnx';
import { readLayersModel } from '@atelier/tfjs-to-onnx/node';
import fc from 'fast-check';

/** What a mutation puts in the place of a value: every kind of JSON, and numbers at the edges. */
const FOREIGN: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1, 0.5, 1e9, 2 ** 53, 1e308, '', 'd', 'x', 'relu', 'float16', 'string', '__proto__'],
  ...[[], [[]], {}, [null], [1e9, 1e9], [-1], { class_name: 'Dense', config: {} }, [['x', 0, 0]], [[['d', 0, 0, {}]]]],
];

const sequential = {
  format: 'layers-model',
  generatedBy: 'keras v2.4.0',
  convertedBy: null,
  modelTopology: {
    keras_version: '2.4.0',
    backend: 'tensorflow',
    model_config: {
      class_name: 'Sequential',
      config: {
        name: 'net',
        layers: [
          { class_name: 'InputLayer', config: { name: 'x', batch_input_shape: [null, 2, 3], dtype: 'float32' } },
          { class_name: 'Flatten', config: { name: 'f', data_format: 'channels_last' } },
          { class_name: 'Dense', config: { name: 'd', units: 2, use_bias: true, activation: 'relu' } },
          { class_name: 'BatchNormalization', config: { name: 'b', axis: [1], epsilon: 0.001, scale: false } },
          { class_name: 'Reshape', config: { name: 'r', target_shape: [-1, 1] } },
          { class_name: 'ReLU', config: { name: 'u', max_value: 6, negative_slope: 0.1 } },
        ],
      },
    },
  },
  weightsManifest: [
    {
      paths: ['a.bin', 'b.bin'],
      weights: [
        { name: 'd/kernel', shape: [6, 2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.1, min: -1 } },
        { name: 'd/bias:0', shape: [2], dtype: 'float32' },
      ],
    },
    {
      paths: ['c.bin'],
      weights: [
        ...['beta', 'moving_mean'].map((part) => ({ name: `net/b/${part}`, shape: [2], dtype: 'float32' })),
        { name: 'b/moving_variance', shape: [2], dtype: 'float32', quantization: { dtype: 'float16' } },
        { name: 'words', shape: [1], dtype: 'string', group: 'optimizer' },
      ],
    },
  ],
};
/** 12 bytes and 2 floats; 4 floats, 2 halves, and a text of one byte. */
const SHARDS = [new Uint8Array(7), new Uint8Array(13), Uint8Array.of(...new Uint8Array(20), 1, 0, 0, 0, 65)];

const functional = {
  modelTopology: {
    class_name: 'Functional',
    config: {
      name: 'outer',
      layers: [
        { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_input_shape: [null, 4] }, inbound_nodes: [] },
        {
          class_name: 'Functional',
          name: 'inner',
          config: {
            name: 'inner',
            layers: [
              { class_name: 'InputLayer', name: 'i', config: { name: 'i', batch_shape: [null, 4] }, inbound_nodes: [] },
              {
                class_name: 'Dense',
                name: 'd',
                config: { name: 'd', units: 4, use_bias: false },
                inbound_nodes: [
                  { args: [{ class_name: '__keras_tensor__', config: { keras_history: ['i', 0, 0] } }], kwargs: {} },
                ],
              },
            ],
            input_layers: [['i', 0, 0]],
            output_layers: [['d', 0, 0]],
          },
          inbound_nodes: [[['x', 0, 0, {}]]],
        },
        { class_name: 'Softmax', name: 's', config: { name: 's', axis: -1 }, inbound_nodes: [[['inner', 0, 0, {}]]] },
      ],
      input_layers: [['x', 0, 0]],
      output_layers: [['s', 0, 0]],
    },
  },
  weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'outer/inner/d/kernel', shape: [4, 4], dtype: 'float32' }] }],
};

const layer = (class_name: string, config: object) => ({ class_name, config });
const convolutional = {
  format: 'layers-model',
  generatedBy: 'TensorFlow.js tfjs-layers v4.22.0',
  modelTopology: {
    class_name: 'Sequential',
    config: {
      name: 'net',
      layers: [
        layer('ZeroPadding2D', {
          name: 'z',
          padding: [
            [0, 1],
            [0, 1],
          ],
          batch_input_shape: [null, 7, 7, 2],
          dtype: 'float32',
        }),
        layer('Conv2D', {
          name: 'c',
          filters: 3,
          kernel_size: [3, 3],
          strides: [2, 2],
          padding: 'same',
          dilation_rate: 1,
        }),
        layer('BatchNormalization', { name: 'b', axis: -1, momentum: 0.99, epsilon: 0.001 }),
        layer('DepthwiseConv2D', { name: 'w', kernel_size: 2, depth_multiplier: 1, padding: 'valid', use_bias: false }),
        layer('MaxPooling2D', {
          name: 'm',
          pool_size: [2, 2],
          strides: null,
          padding: 'same',
          data_format: 'channels_last',
        }),
        layer('UpSampling2D', { name: 'u', size: [2, 2], interpolation: 'nearest' }),
        layer('Permute', { name: 'p', dims: [3, 1, 2] }),
        layer('GlobalAveragePooling2D', { name: 'g', keepdims: false }),
        layer('RepeatVector', { name: 'r', n: 3 }),
        layer('LayerNormalization', { name: 'l', axis: [-1], epsilon: 0.001, center: true, scale: true }),
        layer('Dense', { name: 't', units: 2, activation: 'softmax' }),
        layer('Dropout', { name: 'o', rate: 0.5 }),
      ],
    },
  },
  weightsManifest: [
    {
      paths: ['w.bin'],
      weights: [
        ...[
          ['c/kernel', [3, 3, 2, 3]],
          ['c/bias', [3]],
          ['b/gamma', [3]],
          ['b/beta', [3]],
          ['b/moving_mean', [3]],
        ],
        ...[
          ['b/moving_variance', [3]],
          ['w/depthwise_kernel', [2, 2, 3, 1]],
          ['l/beta', [4]],
          ['l/gamma', [4]],
          ['t/kernel', [4, 2]],
          ['t/bias', [2]],
        ],
      ].map(([name, shape]) => ({ name, shape, dtype: 'float32' })),
    },
  ],
};

type Json = Record<string, unknown>;

/** Every place in a JSON value, as the object or list that it is in and the key there. */
function places(source: unknown): [container: Json, key: string][] {
  if (typeof source !== 'object' || source === null) return [];
  const container = source as Json;
  return Object.keys(container).flatMap((key) => [[container, key] as [Json, string], ...places(container[key])]);
}

/** One change at one place: another value, none, the value of another place, or twice the same. */
interface Mutation {
  at: number;
  from: number;
  kind: 'replace' | 'remove' | 'move' | 'wrap' | 'repeat';
  value: unknown;
}

function mutated(source: unknown, mutations: readonly Mutation[]): unknown {
  const copy = structuredClone({ source }) as Json;
  for (const { at, from, kind, value } of mutations) {
    const all = places(copy['source']);
    const [container, key] = all[at % all.length] ?? [copy, 'source'];
    const [otherContainer, otherKey] = all[from % all.length] ?? [copy, 'source'];
    if (kind === 'replace') container[key] = structuredClone(value);
    else if (kind === 'move') container[key] = structuredClone(otherContainer[otherKey]);
    else if (kind === 'wrap') container[key] = [container[key]];
    else if (Array.isArray(container))
      container.splice(Number(key), 1, ...(kind === 'repeat' ? [container[key], container[key]] : []));
    else if (kind === 'remove') delete container[key];
  }
  return copy['source'];
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  from: fc.nat(),
  kind: fc.constantFrom('replace', 'replace', 'remove', 'move', 'wrap', 'repeat'),
  value: fc.constantFrom(...FOREIGN),
});

for (const [what, source, contents] of [
  ['a Sequential model with quantised weights', sequential, [SHARDS.slice(0, 2), SHARDS.slice(2)]],
  ['a convolutional Sequential model', convolutional, [[new Uint8Array(396)]]],
  ['a functional model with a model inside', functional, [[new Uint8Array(64)]]],
] as const) {
  test(`${what} converts as it is`, () => {
    const artifacts = joinGroups(readModelJson(source, 'model.json'), contents);
    assert.ok(encodeModel(convert(artifacts).model).length > 100);
  });

  test(`${what}, changed at one to three places, converts or is refused by a code: nothing else, and soon`, () => {
    let [converted, refused] = [0, 0];
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        const started = performance.now();
        try {
          const artifacts = joinGroups(readModelJson(mutated(source, mutations), 'model.json'), contents);
          encodeModel(convert(artifacts).model);
          converted++;
        } catch (error) {
          refused++;
          if (!(error instanceof DomainError)) throw error;
          assert.match(error.code, /^(malformed-tfjs-model|unsupported-layer)$/);
        }
        assert.ok(performance.now() - started < 2000);
      }),
      { seed: 20_261_121, numRuns: 1000 },
    );
    assert.ok(converted > 30 && refused > 300, `${converted} converted, ${refused} refused`);
  });
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tfjs-mutations-'));
  for (const [index, name] of ['a.bin', 'b.bin', 'c.bin'].entries()) {
    await writeFile(join(folder, name), SHARDS[index] ?? new Uint8Array());
  }
});
after(() => rm(folder, { recursive: true }));

test('a model.json with bytes cut off, inserted or changed is read or refused by a code', async () => {
  const valid = Buffer.from(JSON.stringify(sequential));
  const path = join(folder, 'model.json');
  await fc.assert(
    fc.asyncProperty(
      fc.nat(valid.length - 1),
      fc.uint8Array({ maxLength: 6 }),
      fc.nat(6),
      fc.boolean(),
      async (at, inserted, removed, isCut) => {
        const rest = isCut ? Buffer.alloc(0) : valid.subarray(at + removed);
        await writeFile(path, Buffer.concat([valid.subarray(0, at), inserted, rest]));
        try {
          convert(await readLayersModel(path));
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
        }
      },
    ),
    { seed: 20_261_121, numRuns: 300 },
  );
});
