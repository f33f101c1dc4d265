import { type DataType, dataTypeOf } from '@atelier/onnx';
import type { NodeView } from '../node-view.ts';
import { broadcastShape, truthByBroadcasting, valueLikeFirst } from './inference.ts';
import type { Operator } from './operator.ts';

/** Types, comparisons, and choosing elements. */
export const SELECTION = {
  Cast: {
    infer: (node) => [{ type: castType(node), shape: node.shapeOf(0) }],
    gradient: (node) => [node.ifWanted(0, () => node.graph.cast(node.gradient, node.elementType(0)))],
    limits: 'between floating-point types; nothing flows through others',
  },
  DequantizeLinear: { infer: (node) => [{ type: node.elementType(1), shape: node.shapeOf(0) }] },
  Equal: { infer: truthByBroadcasting },
  Greater: { infer: truthByBroadcasting },
  GreaterOrEqual: { infer: truthByBroadcasting },
  Less: { infer: truthByBroadcasting },
  LessOrEqual: { infer: truthByBroadcasting },
  And: { infer: truthByBroadcasting },
  Or: { infer: truthByBroadcasting },
  Not: { infer: valueLikeFirst },
  Where: {
    infer: (node) => [{ type: node.elementType(1), shape: broadcastShape(node, [0, 1, 2]) }],
    gradient: (node) => {
      const { graph } = node;
      const [condition, zero] = [node.input(0), graph.scalar(0, node.gradient)];
      const flow = (index: number, first: string, second: string) =>
        node.ifWanted(index, () => graph.sumTo(graph.add('Where', [condition, first, second]), node.shapeOf(index)));
      return [undefined, flow(1, node.gradient, zero), flow(2, zero, node.gradient)];
    },
  },
  Gather: {
    infer: (node) => {
      const shape = node.shapeOf(0);
      const axis = node.axisAttribute(0, shape.length);
      return [
        { type: node.elementType(0), shape: [...shape.slice(0, axis), ...node.shapeOf(1), ...shape.slice(axis + 1)] },
      ];
    },
    limits: 'along axis 0',
    gradient: (node) => [
      node.ifWanted(0, () => {
        const { graph } = node;
        const shape = node.shapeOf(0);
        if (node.axisAttribute(0, shape.length) !== 0) {
          throw node.unsupported(`it gathers along axis ${node.int('axis', 0)}; supported: axis 0.`);
        }
        const zeros = graph.filled(0, shape, node.gradient);
        const rank = node.shapeOf(1).length;
        const positions = graph.add('Unsqueeze', [graph.cast(node.input(1), 'int64'), graph.ints([rank])]);
        return graph.add('ScatterND', [zeros, positions, node.gradient], { reduction: 'add' }); // an index may come twice
      }),
    ],
  },
  ScatterND: { infer: valueLikeFirst },
  ScatterElements: { infer: valueLikeFirst },
  OneHot: {
    infer: (node) => {
      const shape = node.shapeOf(0);
      const depth = Math.trunc(node.constantNumber(1) ?? NaN); // the specification casts what is no whole number
      if (Number.isNaN(depth)) throw node.malformed('it has no depth.');
      const axis = node.axisAttribute(-1, shape.length + 1);
      return [{ type: node.elementType(2), shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)] }];
    },
  },
} satisfies Record<string, Operator>;

function castType(node: NodeView): DataType {
  const code = node.int('to', 0);
  const type = dataTypeOf(code);
  if (type !== undefined) return type;
  throw node.malformed(`its attribute to is ${code}, which is no element type.`);
}
