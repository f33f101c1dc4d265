import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type AttributeSource,
  boolScalar,
  float,
  int,
  ints,
  node,
  type OnnxGraph,
  type OnnxNode,
  tensor,
  value,
} from '@atelier/onnx';
import { differentiate } from '@atelier/onnx-training';
import { type Input, variable } from '../../support/gradients/example.ts';
import { runGraph } from '../../support/gradients/run-graph.ts';
import { type Tensor64, tensor64 } from '../../support/gradients/tensor64.ts';

/** The gradients of the sum of `output` by all values, which are of `type`, in a graph of these nodes. */
async function gradientsOfSum(
  nodes: readonly OnnxNode[],
  output: string,
  values: Readonly<Record<string, Tensor64>>,
  type: 'float32' | 'float64' = 'float32',
): Promise<Record<string, number[]>> {
  const forward: OnnxGraph = {
    name: 'forward',
    nodes: [...nodes, node('ReduceSum', [output], 'loss', { keepdims: int(0) })],
    inputs: Object.entries(values).map(([name, { shape }]) => value(name, type, shape)),
    outputs: [],
    initializers: [tensor('zero', type, [], [0]), tensor('two', type, [], [2]), boolScalar('yes', true)],
    values: [],
  };
  const { builder, gradients } = differentiate(forward, { loss: 'loss', withRespectTo: Object.keys(values) });
  const feeds: Record<string, Input> = Object.fromEntries(
    Object.entries(values).map(([name, numbers]) => [name, { ...variable(numbers), type }]),
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

  test('what nothing flows through gets 0 of an infinite gradient, not NaN', async () => {
    const cases: Record<string, [OnnxNode, x: number[], expected: number[]]> = {
      Max: [node('Max', ['x', 'zero'], 'y'), [-1, 4], [0, 0.25]],
      Clip: [node('Clip', ['x', 'zero'], 'y'), [-1, 4], [0, 0.25]],
      ThresholdedRelu: [node('ThresholdedRelu', ['x'], 'y', { alpha: float(2) }), [1, 4], [0, 0.25]],
      LeakyRelu: [node('LeakyRelu', ['x'], 'y', { alpha: float(0) }), [-1, 4], [0, 0.25]],
      HardSigmoid: [node('HardSigmoid', ['x'], 'y', { alpha: float(0.25), beta: float(0) }), [-1, 1], [0, 0.25]],
    };
    for (const [title, [first, x, expected]] of Object.entries(cases)) {
      const found = await gradientsOfSum([first, node('Sqrt', ['y'], 'root')], 'root', { x: vector(...x) });
      assert.deepEqual(found, { x: expected }, title);
    }
  });

  test('what Dropout drops gets 0 of an infinite gradient, not NaN', async () => {
    const drop = node('Dropout', ['x', '', 'yes'], 'y', { seed: int(3) });
    const x = tensor64([40], new Array<number>(40).fill(2));
    const found = await gradientsOfSum([drop, node('Sqrt', ['y'], 'root')], 'root', { x });
    assert.deepEqual(new Set(found['x']), new Set([0, 0.5])); // of √(2x) where it stays
  });

  test('Relu gives NaN of an infinite gradient in float32, for the sake of speed, and 0 in float64', async () => {
    const root = [node('Relu', ['x'], 'y'), node('Sqrt', ['y'], 'root')];
    assert.deepEqual(await gradientsOfSum(root, 'root', { x: vector(-1, 4) }), { x: [NaN, 0.25] });
    assert.deepEqual(await gradientsOfSum(root, 'root', { x: vector(-1, 4) }, 'float64'), { x: [0, 0.25] });
    const relu = await gradientsOfSum([node('Relu', ['x'], 'y')], 'y', { x: vector(-1, 0, 1e-300, 1) }, 'float64');
    assert.deepEqual(relu, { x: [0, 0, 1, 1] });
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

  test('a power of 0 is constant by its base, and so has the derivative 0 at 0', async () => {
    const constant = (number: number) => [
      node('Constant', [], 'exponent', { value_float: float(number) }),
      node('Pow', ['x', 'exponent'], 'y'),
    ];
    assert.deepEqual(await gradientsOfSum(constant(0), 'y', { x: vector(0, 3) }), { x: [0, 0] });
    assert.deepEqual(await gradientsOfSum(constant(1), 'y', { x: vector(0, 3) }), { x: [1, 1] });
    const values = { x: vector(0, 0, 0, 3), exponent: vector(0, 1, 2, 0) };
    const { x } = await gradientsOfSum([node('Pow', ['x', 'exponent'], 'y')], 'y', values);
    assert.deepEqual(x, [0, 1, 0, 0]);
  });

  test('of equal elements that are the largest, each has an equal share', async () => {
    const x = tensor64([2, 3], [1, 5, 5, 2, 2, 2]);
    const third = Math.fround(1 / 3);
    assert.deepEqual(await ofNode('ReduceMax', { x }, { axes: ints([1]) }), { x: [0, 0.5, 0.5, third, third, third] });
    assert.deepEqual(await ofNode('ReduceMin', { x }, { axes: ints([0]), keepdims: int(0) }), {
      x: [1, 0, 0, 0, 1, 1],
    });
  });
});

describe('gradients of what is unusual', () => {
  const channels = vector(1, 2);
  const normalized = {
    x: tensor64([4, 2], [1, 2, 3, 5, 0, 1, 4, 4]),
    scale: channels,
    bias: channels,
  };

  test('batch normalisation without epsilon that gives the statistics of the batch', async () => {
    const normalize = (outputs: string[]) =>
      node('BatchNormalization', ['x', 'scale', 'bias', 'two_2', 'two_2'], outputs, {
        training_mode: int(1),
        momentum: float(0),
        epsilon: float(0),
      });
    const nodes = (outputs: string[]) => [
      node('Constant', [], 'two_2', { value_floats: { type: 'floats', value: [2, 2] } }),
      normalize(outputs),
      node('Mul', ['y', 'y'], 'squares'),
    ];
    const found = await gradientsOfSum(nodes(['y', 'mean', 'variance']), 'squares', normalized);
    assert.deepEqual(found, await gradientsOfSum(nodes(['y']), 'squares', normalized));
    assert.ok((found['scale'] ?? []).every((each) => each > 7));
  });

  test('batch normalisation by running statistics whose other outputs are left out', async () => {
    const nodes = (outputs: string[]) => [
      node('Constant', [], 'two_2', { value_floats: { type: 'floats', value: [2, 2] } }),
      node('BatchNormalization', ['x', 'scale', 'bias', 'two_2', 'two_2'], outputs),
    ];
    const found = await gradientsOfSum(nodes(['y', '', '']), 'y', normalized);
    assert.deepEqual(found, await gradientsOfSum(nodes(['y']), 'y', normalized));
  });

  test('an output that is left out is no value that others take', async () => {
    const nodes = [
      node('Dropout', ['x'], ['dropped', '']),
      node('Clip', ['two', '', 'two'], 'clipped'),
      node('Sign', ['clipped'], 'sign'),
      node('Mul', ['dropped', 'sign'], 'y'),
    ];
    assert.deepEqual(await gradientsOfSum(nodes, 'y', { x: vector(-3, 4) }), { x: [1, 1] });
  });

  test('a value without elements takes its own shape back', async () => {
    const nodes = [
      node('Constant', [], 'shape', { value_ints: ints([3, 0]) }),
      node('Reshape', ['x', 'shape'], 'y', { allowzero: int(1) }),
    ];
    assert.deepEqual(await gradientsOfSum(nodes, 'y', { x: tensor64([0, 2], []) }), { x: [] });
  });

  test('nodes that nothing needs are left out, whatever they are', async () => {
    const nodes = [
      node('TopK', ['x', 'two'], ['values', 'places']),
      node('Mystery', ['x'], 'riddle'),
      node('Mul', ['x', 'x'], 'y'),
    ];
    assert.deepEqual(await gradientsOfSum(nodes, 'y', { x: vector(3, 4) }), { x: [6, 8] });
  });

  test('a shape that is read of a value is known', async () => {
    const nodes = [
      node('Shape', ['like'], 'shape'),
      node('Reshape', ['x', 'shape'], 'rows'),
      node('Mul', ['rows', 'like'], 'y'),
    ];
    const values = { x: vector(1, 2, 3, 4), like: tensor64([2, 2], [5, 6, 7, 8]) };
    assert.deepEqual(await gradientsOfSum(nodes, 'y', values), { x: [5, 6, 7, 8], like: [1, 2, 3, 4] });
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
