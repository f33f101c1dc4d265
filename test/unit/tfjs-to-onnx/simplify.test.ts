import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Dimension,
  float,
  float32Scalar,
  float32Tensor,
  float32Values,
  int,
  int64Vector,
  ints,
  node,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  value,
} from '@atelier/onnx';
import { foldBatchNormalization } from '../../../packages/tfjs-to-onnx/src/simplify/fold-batch-normalization.ts';
import { foldPadding } from '../../../packages/tfjs-to-onnx/src/simplify/fold-padding.ts';
import { keepZeros } from '../../../packages/tfjs-to-onnx/src/simplify/keep-zeros.ts';
import { mergeReshapes } from '../../../packages/tfjs-to-onnx/src/simplify/merge-reshapes.ts';
import { sinkTransposes } from '../../../packages/tfjs-to-onnx/src/simplify/sink-transposes.ts';
import { listed } from './listed.ts';

/** A graph from x to y. */
function graphOf(
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxTensor[] = [],
  shape: readonly Dimension[] = ['batch', 3, 8, 8],
  outputs: readonly string[] = ['y'],
): OnnxGraph {
  return {
    name: 'plain',
    nodes,
    inputs: [value('x', 'float32', shape)],
    outputs: outputs.map((name) => value(name, 'float32', null)),
    initializers,
    values: [],
  };
}

const ramp = (name: string, ...shape: number[]) =>
  float32Tensor(
    name,
    shape,
    Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => i + 1),
  );
const kernel = ramp('w', 2, 3, 3, 3);
const around = (...pads: number[]) => int64Vector('p', pads);
const toFront = { perm: ints([0, 3, 1, 2]) };

test('zeros around space go into the pads of the Conv', () => {
  const graph = graphOf(
    [node('Pad', ['x', 'p'], 'a'), node('Conv', ['a', 'w'], 'y', { strides: ints([2, 2]), pads: ints([1, 0, 0, 1]) })],
    [around(0, 0, 0, 1, 0, 0, 2, 3), kernel],
  );
  assert.deepEqual(listed(foldPadding(graph)), ['y = Conv(x, w) {strides: [2,2], pads: [1,1,2,4]}']);
});

test('zeros around space go through a Transpose', () => {
  const nodes = [
    node('Pad', ['x', 'p', 'zero'], 'a'),
    node('Transpose', ['a'], 'b', toFront),
    node('Conv', ['b', 'w'], 'y'),
  ];
  const graph = graphOf(nodes, [around(0, 1, 2, 0, 0, 3, 4, 0), float32Scalar('zero', 0), kernel], ['batch', 8, 8, 3]);
  assert.deepEqual(listed(foldPadding(graph)), [
    'b = Transpose(x) {perm: [0,3,1,2]}',
    'y = Conv(b, w) {pads: [1,2,3,4]}',
  ]);
});

const spatial = around(0, 0, 1, 1, 0, 0, 1, 1);
const keptPads: [string, OnnxNode[], OnnxTensor[], outputs?: string[]][] = [
  [
    'before a pool, where a zero counts and padding does not',
    [node('Pad', ['x', 'p'], 'a'), node('MaxPool', ['a'], 'y', { kernel_shape: ints([2, 2]) })],
    [spatial],
  ],
  [
    'before a mean',
    [node('Pad', ['x', 'p'], 'a'), node('AveragePool', ['a'], 'y', { kernel_shape: ints([2, 2]) })],
    [spatial],
  ],
  [
    'that somebody else takes',
    [node('Pad', ['x', 'p'], 'a'), node('Conv', ['a', 'w'], 'b'), node('Relu', ['a'], 'y')],
    [spatial, kernel],
    ['y', 'b'],
  ],
  ['that is an output', [node('Pad', ['x', 'p'], 'a'), node('Conv', ['a', 'w'], 'y')], [spatial, kernel], ['y', 'a']],
  [
    'around the channels',
    [node('Pad', ['x', 'p'], 'a'), node('Conv', ['a', 'w'], 'y')],
    [around(0, 1, 0, 0, 0, 0, 0, 0), kernel],
  ],
  [
    'of another number',
    [node('Pad', ['x', 'p', 'one'], 'a'), node('Conv', ['a', 'w'], 'y')],
    [spatial, float32Scalar('one', 1), kernel],
  ],
  [
    'that repeats the border',
    [node('Pad', ['x', 'p'], 'a', { mode: 'edge' }), node('Conv', ['a', 'w'], 'y')],
    [spatial, kernel],
  ],
  [
    'that cuts off',
    [node('Pad', ['x', 'p'], 'a'), node('Conv', ['a', 'w'], 'y')],
    [around(0, 0, -1, 0, 0, 0, 0, 0), kernel],
  ],
  [
    'before pads that the runtime finds',
    [node('Pad', ['x', 'p'], 'a'), node('Conv', ['a', 'w'], 'y', { auto_pad: 'SAME_UPPER' })],
    [spatial, kernel],
  ],
  [
    'before a transposed convolution',
    [node('Pad', ['x', 'p'], 'a'), node('ConvTranspose', ['a', 'w'], 'y')],
    [spatial, ramp('w', 3, 2, 3, 3)],
  ],
];

for (const [title, nodes, initializers, outputs] of keptPads) {
  test(`a Pad stays ${title}`, () => {
    assert.deepEqual(foldPadding(graphOf(nodes, initializers, undefined, outputs)).nodes, nodes);
  });
}

test('a pool behind a Pad has its padding as a rule, which onnxruntime does not add to', () => {
  const pad = node('Pad', ['x', 'p'], 'a');
  const pool = (attributes: Parameters<typeof node>[3]) => node('MaxPool', ['a'], 'y', attributes);
  const size = { kernel_shape: ints([3, 3]) };
  const keeping = (nodes: readonly OnnxNode[]) => listed(keepZeros(graphOf(nodes, [spatial])));
  assert.deepEqual(keeping([pad, pool(size)]), [
    'a = Pad(x, p)',
    'y = MaxPool(a) {kernel_shape: [3,3], auto_pad: "VALID"}',
  ]);
  assert.deepEqual(keeping([pad, pool({ ...size, pads: ints([0, 0, 1, 1]) })]), [
    'a = Pad(x, p)',
    'y = MaxPool(a) {kernel_shape: [3,3], auto_pad: "SAME_UPPER"}',
  ]);
  const plain = [node('Relu', ['x'], 'a'), pool(size)];
  assert.deepEqual(keepZeros(graphOf(plain)).nodes, plain);
});

const statistics = [
  float32Tensor('scale', [2], [2, 3]),
  float32Tensor('shift', [2], [10, 20]),
  float32Tensor('mean', [2], [1, 2]),
  float32Tensor('variance', [2], [3.75, 8.75]),
];
const normalization = node('BatchNormalization', ['a', 'scale', 'shift', 'mean', 'variance'], 'y', {
  epsilon: float(0.25),
});
const constantsOf = ({ initializers }: OnnxGraph) =>
  Object.fromEntries(initializers.map((tensor) => [tensor.name, [...float32Values(tensor)]]));

test('a BatchNormalization goes into the weights of a Conv that has no bias', () => {
  const graph = graphOf(
    [node('Conv', ['x', 'w'], 'a'), normalization],
    [float32Tensor('w', [2, 3, 1, 1], [1, 2, 3, 4, 5, 6]), ...statistics],
  );
  const folded = foldBatchNormalization(graph);
  assert.deepEqual(listed(folded), ['y = Conv(x, w/folded, y/folded_bias)']);
  // The factors are 2 / √4 and 3 / √9; a mean of m shifts by -m.
  assert.deepEqual(constantsOf(folded)['w/folded'], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(constantsOf(folded)['y/folded_bias'], [9, 18]);
});

test('a BatchNormalization goes into the weights of each operator along its outputs', () => {
  const scaled = [float32Tensor('scale', [2], [4, 9]), ...statistics.slice(1)]; // factors 2 and 3
  const bias = float32Tensor('b', [2], [100, 200]);
  const foldedKernel = (opType: string, attributes: Record<string, ReturnType<typeof int>>, ...shape: number[]) => {
    const graph = graphOf(
      [node(opType, ['x', 'w', 'b'], 'a', attributes), normalization],
      [ramp('w', ...shape), bias, ...scaled],
    );
    const folded = foldBatchNormalization(graph);
    assert.equal(folded.nodes.length, 1);
    assert.deepEqual(constantsOf(folded)['y/folded_bias'], [208, 614]);
    return constantsOf(folded)['w/folded'];
  };
  assert.deepEqual(foldedKernel('Conv', {}, 2, 2, 1), [2, 4, 9, 12]);
  assert.deepEqual(foldedKernel('Conv', { group: int(2) }, 2, 1, 2), [2, 4, 9, 12]);
  assert.deepEqual(foldedKernel('ConvTranspose', {}, 2, 2, 1), [2, 6, 6, 12]);
  assert.deepEqual(foldedKernel('Gemm', {}, 2, 2), [2, 6, 6, 12]);
  assert.deepEqual(foldedKernel('Gemm', { transB: int(1) }, 2, 2), [2, 4, 9, 12]);
});

const conv = node('Conv', ['x', 'w'], 'a');
const keptNormalizations: [string, OnnxNode[], outputs?: string[]][] = [
  ['behind an activation', [node('Conv', ['x', 'w'], 'c'), node('Relu', ['c'], 'a'), normalization]],
  ['whose input somebody else takes', [conv, normalization, node('Relu', ['a'], 'z')], ['y', 'z']],
  ['whose input is an output', [conv, normalization], ['y', 'a']],
  ['behind weights that another node takes', [conv, normalization, node('Conv', ['x', 'w'], 'z')], ['y', 'z']],
  [
    'behind a transposed convolution in groups',
    [node('ConvTranspose', ['x', 'w'], 'a', { group: int(3) }), normalization],
  ],
  ['behind a Gemm that scales', [node('Gemm', ['x', 'w'], 'a', { alpha: float(2) }), normalization]],
  ['that trains', [conv, { ...normalization, attributes: { training_mode: int(1) } }]],
];

for (const [title, nodes, outputs] of keptNormalizations) {
  test(`a BatchNormalization stays ${title}`, () => {
    const graph = graphOf(nodes, [ramp('w', 2, 3, 1, 1), ...statistics], undefined, outputs);
    assert.deepEqual(foldBatchNormalization(graph).nodes, nodes);
  });
}

test('a Reshape takes the Transpose behind it that moves nothing but axes of size 1', () => {
  const nodes = [node('Reshape', ['x', 's'], 'a'), node('Transpose', ['a'], 'y', toFront)];
  const merged = mergeReshapes(graphOf(nodes, [int64Vector('s', [0, 1, 1, 12])], ['batch', 12]), 17);
  assert.deepEqual(listed(merged), ['y = Reshape(x, y/shape)']);
  const wide = graphOf(nodes, [int64Vector('s', [0, 2, 1, 6])], ['batch', 12]);
  assert.deepEqual(mergeReshapes(wide, 17).nodes, nodes);
});

test('factors of all channels go where the image is, not the image to them', () => {
  const back = { perm: ints([0, 2, 3, 1]) };
  const nodes = [
    node('Transpose', ['x'], 'image', back),
    node('Reshape', ['f', 's'], 'factors'),
    node('Mul', ['image', 'factors'], 'scaled'),
    node('Transpose', ['scaled'], 'y', toFront),
  ];
  const graph = graphOf(nodes, [int64Vector('s', [0, 1, 1, 3])]);
  const inputs = [...graph.inputs, value('f', 'float32', ['batch', 3])];
  const sunk = mergeReshapes(sinkTransposes({ ...graph, inputs }, 17), 17);
  assert.deepEqual(listed(sunk), ['factors/0312 = Reshape(f, factors/0312/shape)', 'y = Mul(x, factors/0312)']);
});

test('what was transposed already is concatenated as it is', () => {
  const nodes = [
    node('Transpose', ['x'], 'front', toFront),
    node('Conv', ['front', 'w'], 'convolved'),
    node('Transpose', ['convolved'], 'last', { perm: ints([0, 2, 3, 1]) }),
    node('Concat', ['x', 'last'], 'both', { axis: int(-1) }),
    node('Transpose', ['both'], 'y', toFront),
  ];
  const sunk = sinkTransposes(graphOf(nodes, [ramp('w', 2, 3, 1, 1)], ['batch', 8, 8, 3]), 17);
  assert.deepEqual(listed(sunk), [
    'front = Transpose(x) {perm: [0,3,1,2]}',
    'last = Conv(front, w)',
    'y = Concat(front, last) {axis: 1}',
  ]);
});

test('places along an axis are taken before the Transpose', () => {
  const nodes = [
    node('Transpose', ['x'], 'a', { perm: ints([0, 2, 3, 1]) }),
    node('Gather', ['a', 'i'], 'b', { axis: int(2) }),
    node('Transpose', ['b'], 'y', toFront),
  ];
  const sunk = sinkTransposes(graphOf(nodes, [int64Vector('i', [2, 0])]), 17);
  assert.deepEqual(listed(sunk), ['y = Gather(x, i) {axis: 3}']);
});
