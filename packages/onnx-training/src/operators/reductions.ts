import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { product, range, type TensorType } from '../shapes.ts';
import type { Operator } from './operator.ts';

const AXES = 'the axes are a constant or an attribute';

/** Reductions over axes, which are an attribute in older operator sets and an input in newer ones. */
export const REDUCTIONS = {
  ReduceSum: {
    infer: inferReduction,
    gradient: (node) => [node.ifWanted(0, () => spread(node, node.gradient))],
    limits: AXES,
  },
  ReduceMean: {
    infer: inferReduction,
    gradient: (node) => [
      node.ifWanted(0, () => {
        const count = product(reducedAxes(node).map((axis) => node.shapeOf(0)[axis] ?? 1));
        return spread(node, node.graph.times(node.gradient, 1 / count));
      }),
    ],
    limits: AXES,
  },
  ReduceMax: { infer: inferReduction },
  ArgMax: {
    infer: (node) => {
      const shape = node.shapeOf(0);
      const axis = node.axisAttribute(0, shape.length);
      return [{ type: 'int64', shape: reducedShape(node, [axis]) }];
    },
  },
} satisfies Record<string, Operator>;

function inferReduction(node: NodeView): TensorType[] {
  return [{ type: node.elementType(0), shape: reducedShape(node, reducedAxes(node)) }];
}

function reducedShape(node: NodeView, axes: readonly number[]): number[] {
  const keeps = node.int('keepdims', 1) !== 0;
  return node.shapeOf(0).flatMap((size, axis) => (!axes.includes(axis) ? [size] : keeps ? [1] : []));
}

/** Without axes, all of them are meant, or none when `noop_with_empty_axes` says so. */
function reducedAxes(node: NodeView): number[] {
  const rank = node.shapeOf(0).length;
  const axes = node.ints('axes') ?? node.constantInts(1) ?? [];
  if (axes.length === 0) return node.int('noop_with_empty_axes', 0) === 0 ? range(rank) : [];
  return axes.map((axis) => node.axis(axis, rank));
}

/** A gradient with the reduced axes repeated again. */
function spread(node: DifferentiatedNode, gradient: string): string {
  const { graph } = node;
  const shape = node.shapeOf(0);
  const axes = reducedAxes(node);
  if (graph.shapeOf(gradient).length === 0) return graph.repeat(gradient, shape);
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return graph.repeat(graph.reshape(gradient, kept), shape);
}
