import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AttributeSource, int, ints, node, type OnnxGraph, type OnnxNode, tensor, value } from '@atelier/onnx';
import { differentiate } from '@atelier/onnx-training';
import { type Input, variable } from '../../support/gradients/example.ts';
import { runGraph } from '../../support/gradients/run-graph.ts';
import { type Tensor64, tensor64 } from '../../support/gradients/tensor64.ts';

/** The gradients of the sum of `output` by all values, in a graph of these nodes. */
async function gradientsOfSum(
  nodes: readonly OnnxNode[],
  output: string,
  values: Readonly<Record<string, Tensor64>>,
): Promise<Record<string, number[]>> {
  const forward: OnnxGraph = {
    name: 'forward',
    nodes: [...nodes, node('ReduceSum', [output], 'loss', { keepdims: int(0) })],
    inputs: Object.entries(values).map(([name, { shape }]) => value(name, 'float32', shape)),
    outputs: [],
    initializers: [tensor('two', 'float32', [], [2])],
    values: [],
  };
  const { builder, gradients } = differentiate(forward, { loss: 'loss', withRespectTo: Object.keys(values) });
  const feeds: Record<string, Input> = Object.fromEntries(
    Object.entries(values).map(([name, numbers]) => [name, variable(numbers)]),
  );
  const results = await runGraph(builder.graph('gradients', [...gradients.values()]), 17, feeds);
  return Object.fromEntries(
    [...gradients].map(([name, gradient]) => {
      assert.deepEqual(results[gradient]?.shape, values[name]?.shape);
      return [name, [...(results[gradient]?.data ?? [])]];
    }),
  );
}

async function ofNode(
  opType: string,
  values: Readonly<Record<string, Tensor64>>,
  attributes: Record<string, AttributeSource> = {},
): Promise<Record<string, number[]>> {
  return gradientsOfSum([node(opType, Object.keys(values), 'y', attributes)], 'y', values);
}

const vector = (...numbers: number[]) => tensor64([numbers.length], numbers);

describe('gradients where a function has a corner', () => {
  test('Relu, LeakyRelu and Elu have at 0 the derivative below it', async () => {
    assert.deepEqual(await ofNode('Relu', { x: vector(-1, 0, 1e-30, 1) }), { x: [0, 0, 1, 1] });
    assert.deepEqual(await ofNode('LeakyRelu', { x: vector(-1, 0, 1) }), {
      x: [Math.fround(0.01), Math.fround(0.01), 1],
    });
    assert.deepEqual(await ofNode('Elu', { x: vector(0, 1) }), { x: [1, 1] });
  });

  test('Abs has at 0 the derivative 0', async () => {
    assert.deepEqual(await ofNode('Abs', { x: vector(-3, 0, 2) }), { x: [-1, 0, 1] });
  });

  test('of equal operands of Max and Min, the first gets the gradient', async () => {
    const values = { a: vector(1, 2, 3), b: vector(1, 5, 3), c: vector(1, 5, 0) };
    assert.deepEqual(await ofNode('Max', values), { a: [1, 0, 1], b: [0, 1, 0], c: [0, 0, 0] });
    assert.deepEqual(await ofNode('Min', values), { a: [1, 1, 0], b: [0, 0, 0], c: [0, 0, 1] });
  });

  test('of equal elements of a window of MaxPool, the first gets the gradient', async () => {
    const x = tensor64([1, 1, 2, 4], [0, 0, 7, 1, 0, 0, 7, 7]);
    const attributes = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };
    assert.deepEqual(await ofNode('MaxPool', { x }, attributes), { x: [1, 0, 1, 0, 0, 0, 0, 0] });
  });

  test('an element that is the largest of several windows of MaxPool gets the gradients of all', async () => {
    const x = tensor64([1, 1, 5], [0, 1, 9, 2, 0]);
    assert.deepEqual(await ofNode('MaxPool', { x }, { kernel_shape: ints([3]) }), { x: [0, 0, 3, 0, 0] });
  });

  test('the square of 0 has the derivative 0, and so has its cube', async () => {
    const pow = (exponent: number) => [
      node('Constant', [], 'exponent', { value_float: { type: 'float', value: exponent } }),
      node('Pow', ['x', 'exponent'], 'y'),
    ];
    assert.deepEqual(await gradientsOfSum(pow(2), 'y', { x: vector(-3, 0) }), { x: [-6, 0] });
    assert.deepEqual(await gradientsOfSum(pow(3), 'y', { x: vector(-3, 0) }), { x: [27, 0] });
  });
});

describe('gradients add up and stop', () => {
  test('a value that is used several times gets the sum of what flows to it', async () => {
    const nodes = [
      node('Mul', ['x', 'x'], 'square'),
      node('Add', ['square', 'x'], 'sum'),
      node('Mul', ['sum', 'two'], 'y'),
    ];
    assert.deepEqual(await gradientsOfSum(nodes, 'y', { x: vector(3, -1) }), { x: [14, -2] }); // 2·(2x + 1)
  });

  test('a value that the loss does not depend on has a gradient of zeros', async () => {
    const values = { x: vector(1, 2), unused: tensor64([2, 2], [1, 2, 3, 4]) };
    assert.deepEqual(await gradientsOfSum([node('Neg', ['x'], 'y')], 'y', values), {
      x: [-1, -1],
      unused: [0, 0, 0, 0],
    });
  });

  test('a value is its own gradient of a sum: ones', async () => {
    assert.deepEqual(await gradientsOfSum([], 'x', { x: vector(1, 2) }), { x: [1, 1] });
  });

  test('nothing flows through truth values and whole numbers', async () => {
    const nodes = [
      node('Greater', ['x', 'two'], 'is_large'),
      node('Cast', ['is_large'], 'mask', { to: int(1) }),
      node('Mul', ['x', 'mask'], 'y'),
    ];
    assert.deepEqual(await gradientsOfSum(nodes, 'y', { x: vector(1, 3) }), { x: [0, 1] });
  });

  test('an operator without a rule is no obstacle where nothing flows through it', async () => {
    const nodes = [
      node('Sign', ['x'], 'sign'),
      node('Greater', ['sign', 'two'], 'b'),
      node('Where', ['b', 'x', 'two'], 'y'),
    ];
    assert.deepEqual(await gradientsOfSum(nodes, 'y', { x: vector(1, 3) }), { x: [0, 0] });
  });
});
