import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AttributeSource,
  type Dimension,
  encodeModel,
  float32Tensor,
  graphAttribute,
  inferGraph,
  int,
  int64Vector,
  ints,
  model,
  node,
  type OnnxNode,
  type OnnxTensor,
  string,
  value,
} from '@atelier/onnx';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

type Attributes = Record<string, AttributeSource>;
const zeros = (name: string, ...shape: number[]) =>
  float32Tensor(name, shape, new Float32Array(shape.reduce((product, size) => product * size, 1)));

/** One node `y` of an input `x` of this shape, with its constants, and the shape that is expected. */
// prettier-ignore
const cases: [title: string, shape: Dimension[], OnnxNode, OnnxTensor[], expected: Dimension[]][] = [
  ['Conv', [null, 3, 8, 9], conv('Conv', { strides: ints([2, 3]), pads: ints([1, 0, 1, 2]) }), [zeros('w', 4, 3, 3, 2)], [null, 4, 4, 4]],
  ['a Conv that keeps its size keeps a symbol', ['n', 3, 'h', 8], conv('Conv', { auto_pad: string('SAME_UPPER') }), [zeros('w', 4, 3, 3, 3)], ['n', 4, 'h', 8]],
  ['a Conv whose pads keep its size', ['n', 3, 'h', 'w'], conv('Conv', { pads: ints([1, 1, 1, 1]) }), [zeros('w', 4, 3, 3, 3)], ['n', 4, 'h', 'w']],
  ['a Conv with a stride', ['n', 3, 'h', 8], conv('Conv', { auto_pad: string('SAME_UPPER'), strides: ints([2, 2]) }), [zeros('w', 4, 3, 3, 3)], ['n', 4, null, 4]],
  ['a dilated Conv', [1, 1, 9], conv('Conv', { dilations: ints([3]) }), [zeros('w', 2, 1, 3)], [1, 2, 3]],
  ['ConvTranspose', [1, 2, 4, 5], conv('ConvTranspose', { strides: ints([2, 3]), pads: ints([0, 1, 1, 0]) }), [zeros('w', 2, 3, 3, 3)], [1, 3, 8, 14]],
  ['MaxPool that rounds up', [1, 1, 6, 7], node('MaxPool', ['x'], 'y', { kernel_shape: ints([2, 2]), strides: ints([3, 3]), ceil_mode: int(1) }), [], [1, 1, 2, 3]],
  ['AveragePool', [1, 1, 6, 7], node('AveragePool', ['x'], 'y', { kernel_shape: ints([2, 3]) }), [], [1, 1, 5, 5]],
  ['GlobalAveragePool', [1, 3, 6, 7], node('GlobalAveragePool', ['x'], 'y'), [], [1, 3, 1, 1]],
  ['Reshape finds the open size', ['n', 3, 4], node('Reshape', ['x', 's'], 'y'), [int64Vector('s', [0, -1])], ['n', 12]],
  ['Reshape cancels symbols', ['n', 't', 4], node('Reshape', ['x', 's'], 'y'), [int64Vector('s', [0, 0, 2, -1])], ['n', 't', 2, 2]],
  ['Flatten', ['n', 3, 4], node('Flatten', ['x'], 'y', { axis: int(-2) }), [], ['n', 12]],
  ['Transpose', ['n', 3, 4], node('Transpose', ['x'], 'y', { perm: ints([2, 0, 1]) }), [], [4, 'n', 3]],
  ['Squeeze', [2, 1, 3, 1], node('Squeeze', ['x', 'a'], 'y'), [int64Vector('a', [-3])], [2, 3, 1]],
  ['Unsqueeze', [2, 3], node('Unsqueeze', ['x', 'a'], 'y'), [int64Vector('a', [0, -1])], [1, 2, 3, 1]],
  ['Slice with a step', [2, 9], node('Slice', ['x', 's', 'e', 'a', 't'], 'y'), [int64Vector('s', [1]), int64Vector('e', [-1]), int64Vector('a', [1]), int64Vector('t', [3])], [2, 3]],
  ['Slice that reverses a symbol', ['n', 'time'], node('Slice', ['x', 's', 'e', 'a', 't'], 'y'), [int64Vector('s', [-1]), int64Vector('e', [-(2 ** 31)]), int64Vector('a', [1]), int64Vector('t', [-1])], ['n', 'time']],
  ['Pad', ['n', 3, 4], node('Pad', ['x', 'p'], 'y'), [int64Vector('p', [0, 1, 0, 0, 2, 0])], ['n', 6, 4]],
  ['Tile', [2, 3], node('Tile', ['x', 'r'], 'y'), [int64Vector('r', [1, 4])], [2, 12]],
  ['Expand', [1, 3], node('Expand', ['x', 's'], 'y'), [int64Vector('s', [5, 1])], [5, 3]],
  ['Gather', [5, 3], node('Gather', ['x', 'i'], 'y', { axis: int(1) }), [int64Vector('i', [2, 0])], [5, 2]],
  ['ReduceMean', [2, 3, 4], node('ReduceMean', ['x'], 'y', { axes: ints([-1, 1]), keepdims: int(0) }), [], [2]],
  ['ReduceSum', [2, 3, 4], node('ReduceSum', ['x', 'a'], 'y'), [int64Vector('a', [1])], [2, 1, 4]],
  ['ArgMax', [2, 3, 4], node('ArgMax', ['x'], 'y', { axis: int(1), keepdims: int(0) }), [], [2, 4]],
  ['MatMul', [2, 'n', 4], node('MatMul', ['x', 'w'], 'y'), [zeros('w', 4, 5)], [2, 'n', 5]],
  ['Gemm with a transposed matrix', ['n', 4], node('Gemm', ['x', 'w'], 'y', { transB: int(1) }), [zeros('w', 5, 4)], ['n', 5]],
  ['broadcasting', ['n', 1, 4], node('Add', ['x', 'w'], 'y'), [zeros('w', 3, 1)], ['n', 3, 4]],
  ['Concat', ['n', 3], node('Concat', ['x', 'x'], 'y', { axis: int(-1) }), [], ['n', 6]],
  ['Einsum', [2, 3, 4], node('Einsum', ['x', 'w'], 'y', { equation: 'abc, cd -> dab' }), [zeros('w', 4, 5)], [5, 2, 3]],
  ['a ConvTranspose that keeps its size keeps a symbol', ['n', 2, 'h', 5], conv('ConvTranspose', { pads: ints([1, 1, 1, 1]) }), [zeros('w', 2, 3, 3, 3)], ['n', 3, 'h', 5]],
  ['Resize by scales', [1, 2, 'h', 3], node('Resize', ['x', '', 's'], 'y'), [float32Tensor('s', [4], [1, 1, 2, 1.5])], [1, 2, null, 4]],
  ['Resize to sizes', [1, 2, 3, 4], node('Resize', ['x', '', '', 's'], 'y'), [int64Vector('s', [1, 2, 6, 8])], [1, 2, 6, 8]],
];

function conv(opType: string, attributes: Attributes): OnnxNode {
  return node(opType, ['x', 'w'], 'y', attributes);
}

for (const [title, shape, only, initializers, expected] of cases) {
  test(`the shape of ${title} is found, and is what the runtime gives`, async () => {
    const type = only.opType === 'ArgMax' ? 'int64' : 'float32';
    const graph = {
      name: 'one',
      nodes: [only],
      inputs: [value('x', 'float32', shape)],
      outputs: [value('y', type, null)],
      initializers,
      values: [],
    };
    const facts = inferGraph(graph, 17).get('y');
    assert.deepEqual(facts?.shape, expected);
    assert.equal(facts.type, type);

    const session = await InferenceSession.create(encodeModel(model(graph)), { logSeverityLevel: 3 });
    const sizes = shape.map((size) => (typeof size === 'number' ? size : 6));
    const count = sizes.reduce((product, size) => product * size, 1);
    const { y } = await session.run({ x: new Tensor('float32', new Float32Array(count), sizes) });
    const given = [...(y?.dims ?? [])];
    assert.equal(given.length, expected.length);
    expected.forEach((size, axis) => {
      const found = typeof size === 'string' ? 6 : size;
      if (found !== null) assert.equal(given[axis], found);
    });
    await session.release();
  });
}

test('a Scan gives its states, and what each step gives along the axis that it says', () => {
  const body = {
    name: 'step',
    nodes: [node('Add', ['h', 'slice'], 'next'), node('Identity', ['next'], 'given')],
    inputs: [value('h', 'float32', ['n', 3]), value('slice', 'float32', ['n', 3])],
    outputs: [value('next', 'float32', ['n', 3]), value('given', 'float32', ['n', 3])],
    initializers: [],
    values: [],
  };
  const scan = node('Scan', ['zeros', 'x'], ['last', 'sequence'], {
    body: graphAttribute(body),
    num_scan_inputs: int(1),
    scan_input_axes: ints([1]),
    scan_output_axes: ints([-2]),
  });
  const graph = {
    name: 'loop',
    nodes: [scan],
    inputs: [value('zeros', 'float32', ['n', 3]), value('x', 'float32', ['n', 'time', 3])],
    outputs: [],
    initializers: [],
    values: [],
  };
  const facts = inferGraph(graph, 17);
  assert.deepEqual(facts.get('last')?.shape, ['n', 3]);
  assert.deepEqual(facts.get('sequence')?.shape, ['n', 'time', 3]);
});

test('a size that is computed from a shape is followed to the Reshape that takes it', () => {
  const nodes = [
    node('Shape', ['x'], 'shape'),
    node('Gather', ['shape', 'zero'], 'batch'),
    node('Concat', ['batch', 'rest'], 'target', { axis: int(0) }),
    node('Reshape', ['x', 'target'], 'y'),
  ];
  const graph = {
    name: 'view',
    nodes,
    inputs: [value('x', 'float32', ['n', 2, 5])],
    outputs: [],
    initializers: [int64Vector('zero', [0]), int64Vector('rest', [-1])],
    values: [],
  };
  assert.deepEqual(inferGraph(graph, 17).get('target')?.elements, ['n', -1]);
  assert.deepEqual(inferGraph(graph, 17).get('y')?.shape, ['n', 10]);
});

test('an operator that is not known has the shape that the file says, or none', () => {
  const graph = {
    name: 'custom',
    nodes: [node('Mystery', ['x'], 'y'), node('Mystery', ['x'], 'z'), node('Relu', ['z'], 'w')],
    inputs: [value('x', 'float32', ['n'])],
    outputs: [],
    initializers: [],
    values: [value('y', 'float32', ['n', 3])],
  };
  const facts = inferGraph(graph, 17);
  assert.deepEqual(facts.get('y'), { type: 'float32', shape: ['n', 3] });
  assert.deepEqual(facts.get('w'), { type: 'other', shape: null });
});
