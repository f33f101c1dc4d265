import { inferGraph, type OnnxGraph, value } from '@atelier/onnx';
import { foldBatchNormalization } from './fold-batch-normalization.ts';
import { foldPadding } from './fold-padding.ts';
import { keepZeros } from './keep-zeros.ts';
import { mergeReshapes } from './merge-reshapes.ts';
import { prune } from './prune.ts';
import { sinkTransposes } from './sink-transposes.ts';

export interface Simplification {
  opset: number;
  /** Whether a BatchNormalization becomes part of the operator before it: the same but for rounding. */
  foldsBatchNormalization: boolean;
}

/** The graph as a reader would write it: fewer nodes that compute the same, and types and shapes of all values written down. */
export function simplified(graph: OnnxGraph, { opset, foldsBatchNormalization }: Simplification): OnnxGraph {
  const sunk = prune(sinkTransposes(prune(graph), opset));
  const merged = mergeReshapes(keepZeros(foldPadding(sunk)), opset);
  return withShapes(prune(foldsBatchNormalization ? foldBatchNormalization(merged) : merged), opset);
}

function withShapes(graph: OnnxGraph, opset: number): OnnxGraph {
  const facts = inferGraph(graph, opset);
  const outer = new Set(graph.outputs.map(({ name }) => name));
  const given = graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '' && !outer.has(name));
  const values = given.flatMap((name) => {
    const { type = 'other', shape = null } = facts.get(name) ?? {};
    return type === 'other' || shape === null ? [] : [value(name, type, shape)];
  });
  return { ...graph, values };
}
