import assert from 'node:assert/strict';
import { int, node, type OnnxGraph, type OnnxNode, tensor, value } from '@atelier/onnx';
import { differentiate } from '@atelier/onnx-training';
import type { Draw } from './draw.ts';
import { data, type Example, type Input, type Output } from './example.ts';
import { runGraph } from './run-graph.ts';
import { type Tensor64 } from './tensor64.ts';

/** The oldest and the newest operator set that the package's nodes are valid in. */
const OPSETS = [16, 22] as const;

/** Relative to the largest element of a tensor, or to 0.1 where all are smaller because larger terms cancelled. */
const FORWARD_TOLERANCE = 1e-5;
const GRADIENT_TOLERANCE = 1e-4;
const SMALLEST_SCALE = 0.1;
/** Of the central differences, whose error is about its square plus 1e-16 divided by it. */
const STEP = 1e-5;

/**
 * For one drawn example: compares onnxruntime's outputs with those of the reference, and the gradients of a loss, a random
 * projection of the outputs or their plain sum, with central differences of the reference. The operator set and
 * which gradients are wanted are drawn too.
 */
export async function checkGradients(operator: string, example: Example, draw: Draw): Promise<void> {
  const opset = draw.integer(...(example.opsets ?? OPSETS));
  const outputs = example.outputs ?? ['differentiable'];
  const operands = example.inputs.flatMap((input, index) => (input === null ? [] : [{ ...input, name: `x${index}` }]));
  const feeds: Record<string, Input> = Object.fromEntries(operands.map((operand) => [operand.name, operand]));
  const tested = node(
    operator,
    example.inputs.map((input, index) => (input === null ? '' : `x${index}`)),
    outputs.map((output, index) => (output === null ? '' : outputName(index))),
    example.attributes,
  );
  const alone = graphOf([tested], operands, outputs);
  const given = await runGraph(alone, opset, feeds);
  const random = example.random === undefined ? undefined : given[outputName(example.random)];
  const reference = (values: readonly Tensor64[]) =>
    example.forward(...values, ...(random === undefined ? [] : [random]));
  const expected = reference(operands.map(({ values }) => values));
  compareOutputs(given, expected, outputs, 'alone');

  const projections = drawProjections(draw, outputs, expected);
  for (const [index, projection] of projections.entries()) {
    if (projection !== null) feeds[`projection${index}`] = data(projection);
  }
  const variables = operands.filter(({ role }) => role === 'variable').map(({ name }) => name);
  const chosen = draw.subset(variables.length, 1).map((index) => variables[index] ?? '');
  const wanted = draw.boolean() ? chosen : variables;
  const { builder, gradients } = differentiate(withLoss(alone, outputs, projections), {
    loss: 'loss',
    withRespectTo: wanted,
  });
  const present = tested.outputs.filter((name) => name !== '');
  const graph = builder.graph('gradients', [...present, 'loss', ...gradients.values()]);
  const results = await runGraph(graph, opset, feeds);
  compareOutputs(results, expected, outputs, 'together with its gradients');

  const loss = (values: readonly Tensor64[]) => projectedSum(reference(values), outputs, projections);
  for (const [name, gradient] of gradients) {
    const differences = centralDifferences(
      loss,
      operands.map(({ values }) => values),
      operands.findIndex((operand) => operand.name === name),
    );
    const subject = `the gradient by input ${name.slice(1)}`;
    assertClose(results[gradient], differences, GRADIENT_TOLERANCE, subject);
    const type = operands.find((operand) => operand.name === name)?.type;
    assert.equal(results[gradient]?.type, type, `the element type of ${subject}`);
  }
}

function outputName(index: number): string {
  return `y${index}`;
}

function graphOf(
  nodes: readonly OnnxNode[],
  operands: readonly (Input & { name: string })[],
  outputs: readonly (Output | null)[],
): OnnxGraph {
  return {
    name: 'example',
    nodes,
    inputs: operands
      .filter(({ role }) => role !== 'constant')
      .map(({ name, type, values }) => value(name, type, values.shape)),
    outputs: outputs.flatMap((output, index) =>
      output === null ? [] : [value(outputName(index), output === 'differentiable' ? 'float32' : output, null)],
    ),
    initializers: operands
      .filter(({ role }) => role === 'constant')
      .map(({ name, type, values }) => tensor(name, type, values.shape, [...values.data])),
    values: [],
  };
}

/** What each differentiable output is multiplied by in the loss; null where it goes into the loss as it is. */
function drawProjections(draw: Draw, outputs: readonly (Output | null)[], expected: readonly Tensor64[]) {
  const isPlainSum = draw.pick(false, false, true);
  return outputs.map((output, index) =>
    output !== 'differentiable' || isPlainSum ? null : draw.values(expected[index]?.shape ?? []),
  );
}

/** The graph with a scalar `loss`. */
function withLoss(
  graph: OnnxGraph,
  outputs: readonly (Output | null)[],
  projections: readonly (Tensor64 | null)[],
): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const parts = outputs.flatMap((output, index) => {
    if (output !== 'differentiable') return [];
    const name = outputName(index);
    const isProjected = projections[index] !== null;
    if (isProjected) nodes.push(node('Mul', [name, `projection${index}`], `${name}/projected`));
    nodes.push(node('ReduceSum', [isProjected ? `${name}/projected` : name], `${name}/sum`, { keepdims: int(0) }));
    return [`${name}/sum`];
  });
  return {
    ...graph,
    nodes: [...graph.nodes, ...nodes, node('Sum', parts, 'loss')],
    inputs: [
      ...graph.inputs,
      ...projections.flatMap((projection, index) =>
        projection === null ? [] : [value(`projection${index}`, 'float32', projection.shape)],
      ),
    ],
  };
}

function projectedSum(
  values: readonly Tensor64[],
  outputs: readonly (Output | null)[],
  projections: readonly (Tensor64 | null)[],
): number {
  let total = 0;
  for (const [index, output] of outputs.entries()) {
    if (output !== 'differentiable') continue;
    const weights = projections[index]?.data;
    values[index]?.data.forEach((element, at) => (total += element * (weights?.[at] ?? 1)));
  }
  return total;
}

function centralDifferences(
  loss: (values: readonly Tensor64[]) => number,
  operands: readonly Tensor64[],
  index: number,
): Tensor64 {
  const operand = operands[index];
  if (operand === undefined) throw new RangeError(`There is no operand ${index}.`);
  const lossAt = (at: number, moved: number) => {
    const data = Float64Array.from(operand.data);
    data[at] = moved;
    return loss(operands.with(index, { shape: operand.shape, data }));
  };
  return {
    shape: operand.shape,
    data: operand.data.map((x, at) => (lossAt(at, x + STEP) - lossAt(at, x - STEP)) / (2 * STEP)),
  };
}

function compareOutputs(
  results: Readonly<Record<string, Tensor64>>,
  expected: readonly Tensor64[],
  outputs: readonly (Output | null)[],
  where: string,
): void {
  for (const [index, output] of outputs.entries()) {
    const reference = expected[index];
    if (output === null || reference === undefined) continue;
    assertClose(results[outputName(index)], reference, FORWARD_TOLERANCE, `output ${index} of the node ${where}`);
  }
}

function assertClose(actual: Tensor64 | undefined, expected: Tensor64, tolerance: number, subject: string): void {
  assert.deepEqual(actual?.shape, [...expected.shape], `the shape of ${subject}`);
  const scale = Math.max(SMALLEST_SCALE, ...expected.data.map(Math.abs));
  for (const [at, reference] of expected.data.entries()) {
    const found = actual?.data[at] ?? NaN;
    const error = Math.abs(found - reference) / scale;
    assert.ok(error <= tolerance, `Element ${at} of ${subject} is ${found}; expected ${reference}.`);
  }
}
