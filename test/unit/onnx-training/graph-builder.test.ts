import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { floats, int, int64Values, node, type OnnxGraph, tensor, value } from '@atelier/onnx';
import { differentiate, GraphBuilder } from '@atelier/onnx-training';
import { data } from '../../support/gradients/example.ts';
import { runGraph } from '../../support/gradients/run-graph.ts';
import { tensor64 } from '../../support/gradients/tensor64.ts';

function builderOf(shapes: Readonly<Record<string, readonly number[]>>): GraphBuilder {
  const builder = new GraphBuilder();
  for (const [name, shape] of Object.entries(shapes)) builder.input(name, 'float32', shape);
  return builder;
}

function operators(builder: GraphBuilder, ...outputs: string[]): string[] {
  return builder.graph('graph', outputs).nodes.map(({ opType }) => opType);
}

describe('a graph builder', () => {
  test('adds no node where the result is an operand', () => {
    const builder = builderOf({ x: [2, 3] });
    const unchanged = [
      builder.plus('x', 0),
      builder.plus(0, 'x'),
      builder.minus('x', 0),
      builder.times('x', 1),
      builder.times(1, 'x'),
      builder.times('x', builder.scalar(1, 'x')),
      builder.over('x', 1),
      builder.reshape('x', [2, 3]),
      builder.repeat('x', [2, 3]),
      builder.sumTo('x', [2, 3]),
    ];
    assert.deepEqual(new Set(unchanged), new Set(['x']));
  });

  test('computes with constant scalars itself', async () => {
    const builder = builderOf({ x: [1] });
    const three = builder.plus(builder.scalar(1, 'x'), 2);
    const number = builder.negative(builder.over(builder.times(three, 5), builder.minus(10, three)));
    assert.equal(builder.numberOf(number), Math.fround(-15 / 7));
    assert.deepEqual(operators(builder, builder.times('x', number)), ['Mul']);
  });

  test('takes no value for a constant that only has the shape of one', () => {
    const builder = builderOf({ x: [1], y: [] });
    assert.equal(builder.numberOf('x'), undefined);
    assert.equal(builder.numberOf('y'), undefined);
    assert.deepEqual(operators(builder, builder.over(1, 'y'), builder.minus(0, 'x')), ['Div', 'Sub']);
  });

  test('repeats nothing that arithmetic repeats anyway', async () => {
    const builder = builderOf({ row: [1, 3], x: [2, 3], column: [2, 1] });
    const repeated = builder.repeat('row', [2, 3]);
    assert.deepEqual(operators(builder, builder.times(repeated, 'x')), ['Mul']);
    assert.deepEqual(operators(builder, builder.plus('column', repeated)), ['Add']);
    assert.deepEqual(builder.shapeOf(builder.plus('column', repeated)), [2, 3]);
    const both = builder.minus(repeated, builder.repeat('column', [2, 3]));
    assert.deepEqual(operators(builder, both), ['Sub']);
    const smaller = builder.minus(builder.times(repeated, 2), builder.repeat('row', [2, 3]));
    assert.deepEqual(operators(builder, smaller), ['Mul', 'Sub', 'Expand']);
    assert.deepEqual(builder.shapeOf(smaller), [2, 3]);
    const zeros = builder.times(builder.filled(3, [2, 3], 'x'), builder.filled(0, [2, 1], 'x'));
    assert.deepEqual(operators(builder, zeros), ['Expand']);
    const feeds = { row: data(tensor64([1, 3], [1, 2, 3])), x: data(tensor64([2, 3], [1, 1, 1, 2, 2, 2])) };
    const result = builder.times(repeated, 'x');
    const found = await runGraph(builder.graph('graph', [result]), 17, {
      ...feeds,
      column: data(tensor64([2, 1], [0, 0])),
    });
    assert.deepEqual([...(found[result]?.data ?? [])], [1, 2, 3, 2, 4, 6]);
  });

  test('leaves out nodes and constants that the outputs do not depend on', () => {
    const builder = builderOf({ x: [2] });
    const wanted = builder.times('x', 3);
    builder.add('Exp', [builder.times('x', 5)]);
    const graph = builder.graph('graph', [wanted]);
    assert.deepEqual(
      graph.nodes.map(({ opType }) => opType),
      ['Mul'],
    );
    assert.equal(graph.initializers.length, 1);
    assert.deepEqual(
      graph.inputs.map(({ name }) => name),
      ['x'],
    );
  });

  test('makes equal constants one', () => {
    const builder = builderOf({ x: [2] });
    assert.equal(builder.scalar(0.5, 'x'), builder.scalar(0.5, 'x'));
    assert.equal(builder.ints([1, 2]), builder.ints([1, 2]));
    assert.notEqual(builder.vector([1, 2], 'x'), builder.ints([1, 2]));
    assert.notEqual(builder.numbers([2], [1, 1], 'x'), builder.numbers([1, 2], [1, 1], 'x'));
    assert.notEqual(builder.scalar(1, 'x'), builder.vector([1], 'x'));
  });

  test('calls constants by what they are, and long ones by their type and shape', () => {
    const builder = builderOf({ x: [2] });
    assert.equal(builder.scalar(0.5, 'x'), 'constant/float32/0.5');
    assert.equal(builder.ints([1, 2]), 'constant/int64/2/[1,2]');
    const long = [0, 1].map((first) => builder.vector([first, ...new Array<number>(9999).fill(0.1)], 'x'));
    assert.equal(long[0], 'constant/float32/10000');
    assert.match(long[1] ?? '', /^constant\/float32\/10000\/?\w*_\d+$/);
    assert.equal(builder.vector([0, ...new Array<number>(9999).fill(0.1)], 'x'), long[0]);
  });

  test('gives a node whose first output is left out one more output', () => {
    const builder = builderOf({ x: [2, 3], scale: [3] });
    builder.addNode(node('LayerNormalization', ['x', 'scale'], ['other', '', 'deviation']));
    const source = node('LayerNormalization', ['x', 'scale'], ['', 'mean']);
    builder.addNode(source);
    const inverse = builder.requireOutput(source, 2);
    assert.deepEqual(builder.shapeOf(inverse), [2, 1]);
    const nodes = builder.graph('graph', ['other', inverse]).nodes;
    assert.deepEqual(
      nodes.map(({ outputs }) => outputs),
      [
        ['other', '', 'deviation'],
        ['', 'mean', inverse],
      ],
    );
  });

  test('is what it was after a node that it refuses', () => {
    const builder = builderOf({ x: [2, 3], scale: [3] });
    const kept = builder.times('x', 2);
    const refused = [
      node('Add', ['x', 'nothing'], 'y'),
      node('Concat', ['x', 'scale'], 'y', { axis: int(0) }),
      node('Exp', ['x'], ['y', 'z']),
      node('LayerNormalization', ['x', 'scale'], ['y', 'y']),
      node('LayerNormalization', ['x', 'scale'], ['y', 'x']),
    ];
    for (const each of refused) assert.throws(() => builder.addNode(each), { code: 'malformed-onnx' });
    assert.equal(builder.has('y'), false);
    builder.addNode(node('Exp', [kept], 'y'));
    assert.deepEqual(operators(builder, 'y'), ['Mul', 'Exp']);
  });

  test('knows what a Constant and a Shape give', () => {
    const builder = builderOf({ x: [2, 3, 4], flat: [24] });
    builder.addNode(node('Shape', ['x'], 'shape'));
    builder.addNode(node('Shape', ['x'], 'last', { start: int(-2) }));
    builder.addNode(node('Shape', ['x'], 'first', { end: int(-2) }));
    builder.addNode(node('Constant', [], 'floats', { value_floats: floats([1, 2]) }));
    const known = (name: string) => [...int64Values(builder.constantOf(name) ?? tensor('', 'int64', [], [0]))];
    assert.deepEqual(['shape', 'last', 'first'].map(known), [[2n, 3n, 4n], [3n, 4n], [2n]]);
    assert.deepEqual(builder.typeOf('floats'), { type: 'float32', shape: [2] });
    builder.addNode(node('Reshape', ['flat', 'shape'], 'y'));
    assert.deepEqual(builder.shapeOf('y'), [2, 3, 4]);
  });

  test('gives a node one more output, and then another', () => {
    const builder = builderOf({ x: [2, 3], scale: [3] });
    const source = node('LayerNormalization', ['x', 'scale'], 'y');
    builder.addNode(source);
    const inverse = builder.requireOutput(source, 2);
    const mean = builder.requireOutput(source, 1);
    assert.equal(builder.requireOutput(source, 2), inverse);
    const [normalization] = builder.graph('graph', ['y', mean, inverse]).nodes;
    assert.deepEqual(normalization?.outputs, ['y', mean, inverse]);
    assert.deepEqual(builder.shapeOf(mean), [2, 1]);
  });

  test('refuses a name that is taken, and an empty one', () => {
    const builder = builderOf({ x: [2] });
    assert.throws(() => builder.input('x', 'float32', [2]), {
      code: 'malformed-onnx',
      message: 'Value "x" is given twice.',
    });
    assert.throws(() => builder.input('', 'float32', [2]), { code: 'malformed-onnx' });
  });
});

test('the gradient of a mean of squares has as few nodes as by hand', () => {
  const forward: OnnxGraph = {
    name: 'forward',
    nodes: [
      node('Gemm', ['x', 'w', 'b'], 'y'),
      node('Sub', ['y', 't'], 'error'),
      node('Mul', ['error', 'error'], 'squares'),
      node('ReduceMean', ['squares'], 'loss', { keepdims: int(0) }),
    ],
    inputs: [
      value('x', 'float32', [8, 4]),
      value('w', 'float32', [4, 2]),
      value('b', 'float32', [2]),
      value('t', 'float32', [8, 2]),
    ],
    outputs: [],
    initializers: [],
    values: [],
  };
  const { builder, gradients } = differentiate(forward, { loss: 'loss', withRespectTo: ['w', 'b'] });
  const backward = operators(builder, ...gradients.values()).slice(2); // Gemm and Sub are of the forward graph
  // error/n twice, once for each of its uses; their sum; the product by w; the sum by b, which is a product with ones.
  assert.deepEqual(backward, ['Mul', 'Mul', 'Add', 'Gemm', 'MatMul']);
});
