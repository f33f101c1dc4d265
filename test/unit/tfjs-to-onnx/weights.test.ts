import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float32Values } from '@atelier/onnx';
import { DomainError } from '@atelier/domain';
import { convert, type LayersModelArtifacts, type WeightSpec } from '@atelier/tfjs-to-onnx';
import { Weights } from '../../../packages/tfjs-to-onnx/src/weights.ts';
import { sequential } from './artifacts.ts';

const { modelTopology } = sequential([2], [['Dense', { name: 'd', units: 1, use_bias: false }]]);
const kernel: WeightSpec = { name: 'd/kernel', shape: [2, 1], dtype: 'float32' };

function kernelValues(
  weightSpecs: WeightSpec[],
  weightData: NonNullable<LayersModelArtifacts['weightData']>,
): number[] {
  const { model } = convert({ modelTopology, weightSpecs, weightData });
  const [tensor] = model.graph.initializers;
  assert.equal(tensor?.name, 'd/kernel');
  return [...float32Values(tensor)];
}

const float32 = (name: string, shape: number[]): WeightSpec => ({ name, shape, dtype: 'float32' });
const floatBytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

test('weights are matched by name, whatever their order', () => {
  const other: WeightSpec = { name: 'x/kernel', shape: [1], dtype: 'float32' };
  assert.deepEqual(kernelValues([other, kernel], floatBytes(9, 1, 2)), [1, 2]);
});

test('weight data may be bytes, a buffer or a list of either, split anywhere', () => {
  const bytes = floatBytes(1, 2);
  assert.deepEqual(kernelValues([kernel], bytes), [1, 2]);
  assert.deepEqual(kernelValues([kernel], bytes.slice().buffer), [1, 2]);
  assert.deepEqual(kernelValues([kernel], [bytes.slice(0, 3).buffer, bytes.slice(3).buffer]), [1, 2]);
  const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 1), Buffer.from(bytes.subarray(1, 7)), bytes.slice(7).buffer];
  assert.deepEqual(kernelValues([kernel], pieces), [1, 2]);
});

test('a float32 weight is a view of the shard that it lies in; only one that crosses shards is copied', () => {
  const specs = ['a', 'b', 'c'].map((layer) => float32(`${layer}/kernel`, [2]));
  const bytes = floatBytes(1, 2, 3, 4, 5, 6);
  const shards = [new Uint8Array([0, ...bytes.subarray(0, 12)]).subarray(1), bytes.slice(12)];
  const weights = new Weights({ weightSpecs: specs, weightData: shards }, 'net');
  const [a, b, c] = ['a', 'b', 'c'].map((layer) => weights.take(layer, 'kernel', [2]).data);
  assert.equal(a?.buffer, shards[0]?.buffer);
  assert.equal(c?.buffer, shards[1]?.buffer);
  assert.deepEqual([...(b ?? [])], [...floatBytes(3, 4)]);
});

for (const name of [
  'net/d/kernel',
  'd/kernel:0',
  'd/cell/kernel',
  'net/d/cell/kernel:0',
  'other/d/kernel',
  'outer/inner/d/kernel',
  'outer/inner/d/cell_3/kernel:0',
]) {
  test(`weight "${name}" is found as d/kernel`, () => {
    assert.deepEqual(kernelValues([{ ...kernel, name }], floatBytes(1, 2)), [1, 2]);
  });
}

test('an exact name goes before a similar one', () => {
  assert.deepEqual(kernelValues([{ ...kernel, name: 'net/d/kernel' }, kernel], floatBytes(8, 9, 1, 2)), [1, 2]);
});

test('uint8 and uint16 weights are value times scale plus minimum, rounded to float32', () => {
  const quantised = (dtype: string): WeightSpec => ({ ...kernel, quantization: { dtype, scale: 0.1, min: -1 } });
  assert.deepEqual(kernelValues([quantised('uint8')], Uint8Array.of(0, 255)), [-1, Math.fround(255 * 0.1 - 1)]);
  assert.deepEqual(kernelValues([quantised('uint16')], Uint8Array.of(1, 0, 0, 1)), [
    Math.fround(0.1 - 1),
    Math.fround(25.6 - 1),
  ]);
});

test('float16 weights are widened, with subnormal numbers and infinities', () => {
  const half: WeightSpec = { ...kernel, quantization: { dtype: 'float16' } };
  const values = (a: number, b: number) => kernelValues([half], Uint8Array.of(a & 255, a >> 8, b & 255, b >> 8));
  assert.deepEqual(values(0x3c00, 0xc000), [1, -2]);
  assert.deepEqual(values(0x0001, 0x83ff), [2 ** -24, -1023 * 2 ** -24]);
  assert.deepEqual(values(0x7bff, 0xfc00), [65_504, -Infinity]);
  assert.deepEqual(values(0x7e00, 0x8000), [NaN, -0]);
});

test('weights that only the optimiser needs are passed over, strings and integers among them', () => {
  const optimizer = { group: 'optimizer', shape: [2] };
  const specs: WeightSpec[] = [
    { ...optimizer, name: 'labels', dtype: 'string' },
    { ...optimizer, name: 'iterations', dtype: 'int32' },
    { ...optimizer, name: 'd/kernel', dtype: 'float32' },
    { ...optimizer, name: 'done', dtype: 'bool' },
    kernel,
  ];
  const bytes = Uint8Array.of(
    1,
    0,
    0,
    0,
    65,
    0,
    0,
    0,
    0,
    ...new Uint8Array(8),
    ...floatBytes(7, 7),
    0,
    1,
    ...floatBytes(1, 2),
  );
  assert.deepEqual(kernelValues(specs, bytes), [1, 2]);
  assert.deepEqual(convert({ modelTopology, weightSpecs: specs, weightData: bytes }).summary.warnings, []);
});

/** Which stored weight is taken, by its only element, for the layer that may be called each of `paths`. */
function taken(stored: readonly string[], paths: string | readonly string[], part = 'kernel'): number | undefined {
  const weightSpecs = stored.map((name) => float32(name, [1]));
  const weights = new Weights({ weightSpecs, weightData: floatBytes(...stored.keys()) }, 'net');
  assert.ok(weights.has(paths, part));
  return float32Values(weights.take(paths, part, [1]))[0];
}

test('a layer of the model goes before one of a model inside it, and the likeliest path before the others', () => {
  assert.equal(taken(['net/inner/d/kernel', 'net/d/kernel'], 'd'), 1);
  assert.equal(taken(['inner/d/kernel', 'd/cell/kernel'], 'd'), 1);
  assert.equal(taken(['d/kernel', 'net/inner/d/kernel'], ['inner/d', 'd']), 1);
  assert.equal(taken(['other/kernel', 'd/kernel'], ['inner/d', 'd']), 1);
});

test('the directions of a Bidirectional and the cells of a stack are told apart by their paths', () => {
  const stored = ['bidi/forward_lstm/lstm_cell_1/kernel:0', 'bidi/backward_lstm/lstm_cell_2/kernel:0'];
  assert.equal(taken(stored, ['bidi/backward_lstm', 'backward_lstm']), 1);
  assert.equal(taken(['bidi/forward_forward_x/kernel', 'bidi/backward_x/kernel'], 'bidi/forward_forward_x'), 0);
  const cells = ['rnn/stacked_rnn_cells/cell_0/kernel', 'rnn/stacked_rnn_cells/cell_1/kernel'];
  assert.equal(taken(cells, ['rnn/stacked_rnn_cells/cell_1', 'cell_1']), 1);
  assert.throws(() => taken(cells, 'rnn/stacked_rnn_cells'), /is there more than once: rnn.*cell_0.*cell_1/);
});

test('a tensor is named after the path that was found; parts are what the last part of a name says', () => {
  const weights = new Weights({ weightSpecs: [float32('net/d/kernel:0', [1])], weightData: floatBytes(1) }, 'net');
  assert.ok(weights.has('d', 'kernel') && !weights.has('d', 'bias') && !weights.has('e', 'kernel'));
  assert.equal(weights.take(['inner/d', 'd'], 'kernel', [1]).name, 'd/kernel');
  assert.equal(weights.parameterCount(), 1);
  assert.deepEqual(weights.unused(), []);
});

test('one weight for two layers is refused: each must have its own', () => {
  const weights = new Weights({ weightSpecs: [float32('a/d/kernel', [1])], weightData: floatBytes(1) }, 'net');
  weights.take(['a/d', 'd'], 'kernel', [1]);
  weights.take(['a/d', 'd'], 'kernel', [1]);
  assert.throws(
    () => weights.take('d', 'kernel', [1]),
    /"a\/d\/kernel" is the closest to both "a\/d\/kernel" and "d\/kernel"/,
  );
});

test('the state of random generators is no weight that a layer is missing', () => {
  const names = [
    'net/dropout/seed_generator/seed_generator_state',
    'seed_generator_4/seed_generator_state:0',
    'x/kernel',
  ];
  const weightSpecs = names.map((name) => ({ name, shape: [1], dtype: 'int32' }));
  assert.deepEqual(new Weights({ weightSpecs, weightData: new Uint8Array(12) }, 'net').unused(), ['x/kernel']);
});

test('a missing weight is told with those there are, the same part first, twenty at most', () => {
  const weightSpecs = [
    ...Array.from({ length: 30 }, (_, index) => float32(`l${index}/bias`, [0])),
    float32('e/kernel', [0]),
  ];
  const weights = new Weights({ weightSpecs, weightData: [] }, 'net');
  assert.throws(
    () => weights.take('d', 'kernel', [1]),
    /No weight "d\/kernel"; there is: e\/kernel, l0\/bias,.*, and 11 more\.$/,
  );
});

test('int32 and bool weights are taken as float32', () => {
  const weightSpecs = [
    { name: 'i/w', shape: [2], dtype: 'int32' },
    { name: 'b/w', shape: [3], dtype: 'bool' },
    {
      name: 'q/w',
      shape: [2],
      dtype: 'int32',
      quantization: { dtype: 'uint8', scale: 0.5, min: -1.5, original_dtype: 'x' },
    },
  ];
  const weightData = [Int32Array.of(-3, 70_000).buffer, Uint8Array.of(0, 1, 2), Uint8Array.of(0, 4)];
  const weights = new Weights({ weightSpecs, weightData }, 'net');
  assert.deepEqual([...float32Values(weights.take('i', 'w', [2]))], [-3, 70_000]);
  assert.deepEqual([...float32Values(weights.take('b', 'w', [3]))], [0, 1, 1]);
  assert.deepEqual([...float32Values(weights.take('q', 'w', [2]))], [-1, 1], 'halves go up, as Math.round has them');
  assert.equal(weights.takeStored('q', 'w', [2]), undefined, 'of integers the stored form means something else');
});

test('the quantised form can be had as it is stored', () => {
  const weightSpecs = [
    { ...float32('a/w', [2]), quantization: { dtype: 'uint16', scale: 0.5, min: 3 } },
    { ...float32('b/w', [2]), quantization: { dtype: 'float16' } },
    float32('c/w', [1]),
  ];
  const data = new Uint8Array(12);
  const weights = new Weights({ weightSpecs, weightData: data }, 'net');
  assert.deepEqual(weights.takeStored('a', 'w', [2]), {
    name: 'a/w',
    dtype: 'uint16',
    scale: 0.5,
    min: 3,
    data: data.subarray(0, 4),
  });
  const half = weights.takeStored('b', 'w', [2]);
  assert.deepEqual([half?.dtype, half?.scale, half?.min, half?.data.buffer], ['float16', 1, 0, data.buffer]);
  assert.equal(weights.takeStored('c', 'w', [1]), undefined);
  assert.deepEqual(weights.unused(), ['c/w']);
  assert.throws(() => weights.takeStored('a', 'w', [3]), /"a\/w" is float32 \[2\]; expected float32 \[3\]/);
});

test('quantised weights at odd addresses are decoded too', () => {
  const odd = Uint8Array.of(0, 0, 1, 0, 2).subarray(1);
  const quantization = { dtype: 'uint16', scale: 1, min: 0 };
  assert.deepEqual(kernelValues([{ ...kernel, quantization }], odd), [256, 512]);
});

const WRONG: [what: string, artifacts: LayersModelArtifacts, reason: RegExp][] = [
  [
    'a size that no memory has, which is not even asked for',
    { weightSpecs: [float32('w', [1e9, 1e9])], weightData: new Uint8Array(4) },
    /"w" \(float32 \[1000000000, 1000000000\]\) ends at byte 4000000000000000000 of the weight data; it has 4 bytes/,
  ],
  [
    'more strings than bytes',
    {
      weightSpecs: [{ name: 's', shape: [1e15], dtype: 'string' }],
      weightData: [Uint8Array.of(1, 0), Uint8Array.of(0, 0, 65, 9)],
    },
    /Weight "s".* of the weight data; it has 6 bytes/,
  ],
  [
    'float16 for integers',
    { weightSpecs: [{ name: 'w', shape: [1], dtype: 'int32', quantization: { dtype: 'float16' } }] },
    /"w" of int32 is quantised by \{"dtype":"float16"\}; expected float16, or uint8/,
  ],
  [
    'quantised truths',
    { weightSpecs: [{ name: 'w', shape: [1], dtype: 'bool', quantization: { dtype: 'uint8', scale: 1, min: 0 } }] },
    /"w" of bool is quantised by/,
  ],
  ['data that is no bytes', { weightData: 'AAAA' as unknown as Uint8Array }, /weight data is "AAAA"; expected bytes/],
];
for (const [what, artifacts, reason] of WRONG) {
  test(`${what}: malformed-tfjs-model`, () => {
    assert.throws(
      () => new Weights(artifacts, 'net'),
      (error: unknown) => {
        assert.ok(error instanceof DomainError && error.code === 'malformed-tfjs-model', String(error));
        assert.match(error.message, reason);
        return true;
      },
    );
  });
}
