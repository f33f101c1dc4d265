import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { float32Values } from '@atelier/onnx';
import { dense, GraphBuilder, subgraph } from '@atelier/onnx-training';

describe('a dense layer', () => {
  const kernelOf = (name: string, seed?: number) => {
    const graph = new GraphBuilder();
    const output = dense(graph, graph.input('x', 'float32', [4, 20]), name, 30, seed);
    const kernel = graph.graph('layer', [output]).initializers.find((each) => each.name === `${name}/kernel`);
    assert.ok(kernel !== undefined);
    return { graph, output, values: float32Values(kernel) };
  };

  test('adds a kernel and a bias, which are parameters of the graph', () => {
    const { graph, output } = kernelOf('hidden');
    assert.deepEqual(graph.parameters, ['hidden/kernel', 'hidden/bias']);
    assert.deepEqual(graph.shapeOf('hidden/kernel'), [20, 30]);
    assert.deepEqual(graph.shapeOf(output), [4, 30]);
  });

  test("draws its kernel evenly from the range of Glorot's initialisation", () => {
    const { values } = kernelOf('hidden');
    const bound = Math.sqrt(6 / 50);
    assert.ok(values.every((value) => Math.abs(value) <= bound));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    assert.ok(Math.abs(mean) < 0.1 * bound && Math.abs(variance / (bound ** 2 / 3) - 1) < 0.1);
  });

  test('has the same kernel for the same name and seed, and another for another', () => {
    const { values } = kernelOf('hidden', 1);
    assert.deepEqual(kernelOf('hidden', 1).values, values);
    assert.notDeepEqual(kernelOf('hidden', 2).values, values);
    assert.notDeepEqual(kernelOf('other', 1).values, values);
  });

  test('refuses what is no matrix of float32', () => {
    const graph = new GraphBuilder();
    assert.throws(() => dense(graph, graph.input('x', 'float32', [4, 5, 6]), 'hidden', 3), {
      code: 'malformed-onnx',
      message: 'Layer "hidden" is given float32 [4, 5, 6]; expected a matrix of float32, a row for each example.',
    });
  });
});

describe('a subgraph', () => {
  const graph = new GraphBuilder();
  const hidden = dense(graph, graph.input('x', 'float32', [4, 2]), 'hidden', 3);
  graph.input('y', 'float32', [4, 3]);
  const loss = graph.sum(graph.minus(hidden, 'y'), [0, 1], false);
  const whole = graph.graph('whole', [hidden, loss]);

  test('has the nodes, inputs and constants that its outputs need, and no others', () => {
    const part = subgraph(whole, [hidden]);
    assert.deepEqual(
      part.inputs.map(({ name }) => name),
      ['x'],
    );
    assert.deepEqual(
      part.nodes.map(({ opType }) => opType),
      ['Gemm'],
    );
    assert.deepEqual(
      part.initializers.map(({ name }) => name),
      ['hidden/kernel', 'hidden/bias'],
    );
    assert.deepEqual(part.outputs, whole.outputs.slice(0, 1));
    assert.deepEqual(subgraph(whole, [hidden, loss]), whole);
  });

  test('refuses a value whose type nothing says', () => {
    assert.throws(() => subgraph(graph.graph('whole', [loss]), [hidden]), {
      code: 'malformed-onnx',
      message: `"${hidden}" is no output of graph "whole", and no value of declared type.`,
    });
  });
});
