import { int, ints } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { broadcast, product, range, shown } from '../shapes.ts';
import { valueOfShape } from './inference.ts';
import type { Operator } from './operator.ts';

/** Operators that move elements. Their gradients move them back. */
export const SHAPE_OPERATORS = {
  Reshape: {
    limits: 'the shape is a constant',
    infer: (node) => valueOfShape(node, reshaped(node)),
    gradient: returned,
  },
  Flatten: {
    infer: (node) => {
      const shape = node.shapeOf(0);
      const axis = node.int('axis', 1);
      const split = axis === shape.length ? axis : node.axis(axis, Math.max(1, shape.length));
      return valueOfShape(node, [product(shape.slice(0, split)), product(shape.slice(split))]);
    },
    gradient: returned,
  },
  Squeeze: {
    limits: 'the axes are a constant',
    infer: (node) => {
      const shape = node.shapeOf(0);
      const named = node.constantInts(1);
      const axes = named && node.axes(named, shape.length);
      const wide = axes?.find((axis) => shape[axis] !== 1);
      if (wide !== undefined) throw node.malformed(`it removes axis ${wide} of ${shown(shape)}, which is not 1.`);
      return valueOfShape(
        node,
        shape.filter((size, axis) => !(axes?.includes(axis) ?? size === 1)),
      );
    },
    gradient: returned,
  },
  Unsqueeze: {
    limits: 'the axes are a constant',
    infer: (node) => {
      const added = node.constantInts(1) ?? [];
      const rank = node.shapeOf(0).length + added.length;
      const axes = node.axes(added, rank);
      const sizes = [...node.shapeOf(0)];
      return valueOfShape(
        node,
        range(rank).map((axis) => (axes.includes(axis) ? 1 : (sizes.shift() ?? 1))),
      );
    },
    gradient: returned,
  },
  Transpose: {
    infer: (node) =>
      valueOfShape(
        node,
        permutation(node).map((axis) => node.shapeOf(0)[axis] ?? 1),
      ),
    gradient: (node) => [
      node.ifWanted(0, () => {
        const forward = permutation(node);
        const back = range(forward.length).map((axis) => forward.indexOf(axis));
        return node.graph.add('Transpose', [node.gradient], { perm: ints(back) });
      }),
    ],
  },
  Expand: {
    limits: 'the shape is a constant',
    infer: (node) => {
      const target = node.constantInts(1) ?? [];
      const shape = broadcast(node.shapeOf(0), target);
      if (shape === null) throw node.malformed(`it expands ${shown(node.shapeOf(0))} to ${shown(target)}.`);
      return valueOfShape(node, shape);
    },
    gradient: (node) => [node.ifWanted(0, () => node.graph.sumTo(node.gradient, node.shapeOf(0)))],
  },
  Concat: {
    infer: (node) => {
      const shapes = range(node.inputCount).map((index) => node.shapeOf(index));
      const [first = []] = shapes;
      const axis = node.axisAttribute(0, first.length);
      const fits = shapes.every(
        (shape) => shape.length === first.length && shape.every((size, at) => at === axis || size === first[at]),
      );
      if (!fits) throw node.malformed(`it joins ${shapes.map(shown).join(', ')} along axis ${axis}.`);
      return valueOfShape(
        node,
        first.map((size, at) => (at === axis ? shapes.reduce((sum, shape) => sum + (shape[axis] ?? 0), 0) : size)),
      );
    },
    gradient: (node) => {
      const { graph, gradient } = node;
      const axis = node.axisAttribute(0, node.shapeOf(0).length);
      let start = 0;
      return range(node.inputCount).map((index) => {
        const [from, to] = [start, start + (node.shapeOf(index)[axis] ?? 0)];
        start = to;
        return node.ifWanted(index, () =>
          graph.add('Slice', [gradient, graph.ints([from]), graph.ints([to]), graph.ints([axis])]),
        );
      });
    },
  },
  Split: {
    limits: 'the sizes are a constant, or `num_outputs` says them',
    infer: (node) => {
      const shape = node.shapeOf(0);
      const axis = node.axisAttribute(0, shape.length);
      const sizes = node.constantInts(1) ?? equalParts(shape[axis] ?? 0, node.int('num_outputs', node.outputCount));
      if (sizes.length !== node.outputCount) {
        throw node.malformed(`it splits into ${shown(sizes)} and gives ${node.outputCount} outputs.`);
      }
      const total = sizes.reduce((sum, size) => sum + size, 0);
      if (total !== shape[axis])
        throw node.malformed(`it splits ${shown(shape)} into ${shown(sizes)} along axis ${axis}.`);
      return sizes.map((part) => ({
        type: node.elementType(0),
        shape: shape.map((size, at) => (at === axis ? part : size)),
      }));
    },
    gradient: (node) => [
      node.ifWanted(0, () => {
        const { graph } = node;
        const parts = range(node.outputCount).map((index) => node.outputGradient(index));
        return graph.add('Concat', parts, { axis: int(node.axisAttribute(0, node.shapeOf(0).length)) });
      }),
    ],
  },
} satisfies Record<string, Operator>;

/** The gradient in the shape of the input. */
function returned(node: DifferentiatedNode): (string | undefined)[] {
  return [node.ifWanted(0, () => node.graph.reshape(node.gradient, node.shapeOf(0)))];
}

/** Sizes of `count` parts, of which only the last may be smaller. */
function equalParts(size: number, count: number): number[] {
  const part = Math.ceil(size / count);
  return range(count).map((index) => Math.min(part, size - index * part));
}

function permutation(node: NodeView): number[] {
  const axes = range(node.shapeOf(0).length);
  const order = node.ints('perm') ?? axes.toReversed();
  if (order.length === axes.length && axes.every((axis) => order.includes(axis))) return order;
  throw node.malformed(`its perm is ${shown(order)}; expected each of the axes ${shown(axes)} once.`);
}

/** In Reshape's target, 0 keeps a size (unless `allowzero`) and one −1 takes what is left. */
function reshaped(node: NodeView): number[] {
  const shape = node.shapeOf(0);
  const keepsZero = node.int('allowzero', 0) !== 0;
  const target = (node.constantInts(1) ?? []).map((size, axis) =>
    size === 0 && !keepsZero ? (shape[axis] ?? 0) : size,
  );
  const known = product(target.filter((size) => size !== -1));
  const sizes = target.map((size) => (size === -1 ? product(shape) / known : size));
  if (product(sizes) === product(shape) && sizes.every(Number.isInteger)) return sizes;
  throw node.malformed(`it makes ${shown(target)} of ${shown(shape)}.`);
}
