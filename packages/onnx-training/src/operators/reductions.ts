import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { product, range, type TensorType } from '../shapes.ts';
import { whereOnly } from './arithmetic.ts';
import type { Operator } from './operator.ts';

const AXES = 'the axes are a constant or an attribute';
const TIES = 'equal elements share the gradient';

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
  ReduceMax: { infer: inferReduction, gradient: extremeGradient, limits: `${AXES}; ${TIES}` },
  ReduceMin: { infer: inferReduction, gradient: extremeGradient, limits: `${AXES}; ${TIES}` },
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
  return node.axes(axes, rank);
}

/** A gradient with the reduced axes repeated again. */
function spread(node: DifferentiatedNode, gradient: string): string {
  const { graph } = node;
  if (graph.shapeOf(gradient).length === 0) return graph.repeat(gradient, node.shapeOf(0));
  return graph.repeat(besideInput(node, gradient), node.shapeOf(0));
}

/** A value of the result's shape with the reduced axes as axes of size 1. */
function besideInput(node: DifferentiatedNode, name: string): string {
  const axes = reducedAxes(node);
  const kept = node.shapeOf(0).map((size, axis) => (axes.includes(axis) ? 1 : size));
  return node.graph.reshape(name, kept);
}

/** To the elements that are the result, as many as there are in equal shares. */
function extremeGradient(node: DifferentiatedNode): (string | undefined)[] {
  const { graph } = node;
  return [
    node.ifWanted(0, () => {
      const isChosen = graph.add('Equal', [node.input(0), besideInput(node, node.output(0))]);
      const count = graph.sum(graph.cast(isChosen, node.elementType(0)), reducedAxes(node), true);
      return whereOnly(node, isChosen, graph.over(besideInput(node, node.gradient), count));
    }),
  ];
}
