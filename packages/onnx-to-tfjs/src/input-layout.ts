import type { OnnxGraph, OnnxNode, ValueFacts } from '@atelier/onnx';
import { channelsLast, identityLayout } from './layouts.ts';

/** Operators whose layers have the channels, the graph's axis 1, last. */
const IMAGE_OPERATORS = new Set(
  'AveragePool BatchNormalization Conv GlobalAveragePool GlobalMaxPool MaxPool Resize Upsample'.split(' '),
);

/** Operators that leave the axes as they are. */
const TRANSPARENT = new Set(
  (
    'Add Cast Clip DequantizeLinear Div Dropout Elu Gelu HardSigmoid HardSwish Identity LeakyRelu Mish Mul Neg PRelu Pad Relu Selu Sigmoid ' +
    'Softplus Softsign Sub Swish Tanh ThresholdedRelu'
  ).split(' '),
);

/**
 * The order of axes in which the model takes an input: the one that the first convolution or pool behind it needs, so that
 * the model has no Permute; the graph's where there is none.
 */
export function inputLayout(graph: OnnxGraph, input: string, facts: ReadonlyMap<string, ValueFacts>): number[] {
  const rank = facts.get(input)?.shape?.length ?? 0;
  const consumers = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes) {
    for (const name of node.inputs) consumers.set(name, [...(consumers.get(name) ?? []), node]);
  }
  // Each value with the input's axis that each of its axes is.
  const queue: { name: string; axes: readonly number[] }[] = [{ name: input, axes: identityLayout(rank) }];
  const seen = new Set<string>();
  for (let step = queue.shift(); step && rank > 2; step = queue.shift()) {
    const { name, axes } = step;
    for (const node of consumers.get(name) ?? []) {
      const [output] = node.outputs;
      if (output === undefined || seen.has(output)) continue;
      seen.add(output);
      if (IMAGE_OPERATORS.has(node.opType) && node.inputs[0] === name) {
        return channelsLast(rank).map((axis) => axes[axis] ?? 0);
      }
      if (TRANSPARENT.has(node.opType)) queue.push({ name: output, axes });
      const { perm } = node.attributes;
      if (node.opType === 'Transpose' && perm?.type === 'ints') {
        queue.push({ name: output, axes: perm.value.map((axis) => axes[Number(axis)] ?? 0) });
      }
    }
  }
  return identityLayout(rank);
}
