import { int, ints } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { broadcast, product, range, shown, type TensorType } from '../shapes.ts';
import type { Operator } from './operator.ts';

/** Operators that move elements. Their gradients move them back. */
export const SHAPE_OPERATORS = {
  Constant: {
    infer: (node) => {
      const constant = node.graph.constantOf(node.output(0));
      if (constant === undefined) throw node.unsupported('supported: value, value_float, value_int and value_ints.');
      return [{ type: constant.type, shape: constant.shape }];
    },
  },
  Reshape: {
    limits: 'the shape is a constant',
    infer: (node) => like(node, reshaped(node)),
    gradient: returned,
  },
  Flatten: {
    infer: (node) => {
      const shape = node.shapeOf(0);
      const axis = node.int('axis', 1);
      const split = axis === shape.length ? axis : node.axis(axis, Math.max(1, shape.length));
      return like(node, [product(shape.slice(0, split)), product(shape.slice(split))]);
    },
    gradient: returned,
  },
  Squeeze: {
    limits: 'the axes are a constant',
    infer: (node) => {
      const shape = node.shapeOf(0);
      const axes = node.constantInts(1)?.map((axis) => node.axis(axis, shape.length));
      const wide = axes?.find((axis) => shape[axis] !== 1);
      if (wide !== undefined) throw node.malformed(`it removes axis ${wide} of ${shown(shape)}, which is not 1.`);
      return like(
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
      const axes = added.map((axis) => node.axis(axis, rank));
      const sizes = [...node.shapeOf(0)];
      return like(
        node,
        range(rank).map((axis) => (axes.includes(axis) ? 1 : (sizes.shift() ?? 1))),
      );
    },
    gradient: returned,
  },
  Transpose: {
    infer: (node) =>
      like(
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
      return like(node, shape);
    },
    gradient: (node) => [node.ifWanted(0, () => node.graph.sumTo(node.gradient, node.shapeOf(0)))],
  },
  Concat: {
    infer: (node) => {
      const shapes = range(node.inputCount).map((index) => node.shapeOf(index));
      const [first = []] = shapes;
      const axis = node.axis(node.int('axis', 0), first.length);
      const fits = shapes.every(
        (shape) => shape.length === first.length && shape.every((size, at) => at === axis || size === first[at]),
      );
      if (!fits) throw node.malformed(`it joins ${shapes.map(shown).join(', ')} along axis ${axis}.`);
      return like(
        node,
        first.map((size, at) => (at === axis ? shapes.reduce((sum, shape) => sum + (shape[axis] ?? 0), 0) : size)),
      );
    },
    gradient: (node) => {
      const { graph, gradient } = node;
      const axis = node.axis(node.int('axis', 0), node.shapeOf(0).length);
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
      const axis = node.axis(node.int('axis', 0), shape.length);
      const sizes = node.constantInts(1) ?? equalParts(shape[axis] ?? 0, node.int('num_outputs', node.outputCount));
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
        return graph.add('Concat', parts, { axis: int(node.axis(node.int('axis', 0), node.shapeOf(0).length)) });
      }),
    ],
  },
  Slice: {
    limits: 'starts, ends, axes and steps are constants',
    infer: (node) => like(node, slicedShape(node, slices(node))),
    gradient: (node) => [node.ifWanted(0, () => sliceGradient(node))],
  },
  Pad: {
    limits: 'mode `constant`; the pads are a constant; not by the value',
    infer: (node) => {
      const pads = padsOfAllAxes(node);
      const rank = node.shapeOf(0).length;
      return like(
        node,
        node.shapeOf(0).map((size, axis) => size + (pads[axis] ?? 0) + (pads[axis + rank] ?? 0)),
      );
    },
    // What was added is cut off, and what was cut off gets zeros.
    gradient: (node) => [
      node.ifWanted(0, () => {
        const mode = node.string('mode', 'constant');
        if (mode !== 'constant') throw node.unsupported(`its mode is ${mode}; supported: constant.`);
        return node.graph.add('Pad', [node.gradient, node.graph.ints(padsOfAllAxes(node).map((pad) => -pad))]);
      }),
    ],
  },
} satisfies Record<string, Operator>;

function like(node: NodeView, shape: readonly number[]): TensorType[] {
  return [{ type: node.elementType(0), shape }];
}

/** The gradient in the shape of the input. */
function returned(node: DifferentiatedNode): (string | undefined)[] {
  return [node.ifWanted(0, () => node.graph.reshape(node.gradient, node.shapeOf(0)))];
}

/** Sizes of `count` parts, of which only the last may be smaller. */
function equalParts(size: number, count: number): number[] {
  const part = Math.ceil(size / count);
  return range(count).map((index) => Math.min(part, size - index * part));
}

/** What a Pad adds before each axis, then what it adds behind each. */
function padsOfAllAxes(node: NodeView): number[] {
  const rank = node.shapeOf(0).length;
  const given = node.constantInts(1) ?? [];
  const axes = node.constantInts(3)?.map((axis) => node.axis(axis, rank)) ?? range(rank);
  if (given.length !== 2 * axes.length) {
    throw node.malformed(`it has ${given.length} pads for ${axes.length} axes; expected ${2 * axes.length}.`);
  }
  const pads = new Array<number>(2 * rank).fill(0);
  for (const [index, axis] of axes.entries()) {
    pads[axis] = given[index] ?? 0;
    pads[axis + rank] = given[index + axes.length] ?? 0;
  }
  return pads;
}

function permutation(node: NodeView): number[] {
  const rank = node.shapeOf(0).length;
  return node.ints('perm') ?? range(rank).reverse();
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

interface AxisSlice {
  axis: number;
  /** The positions that are taken, in order. */
  positions: number[];
  step: number;
}

/** What a Slice takes, per axis, in the specification's clamped form. */
function slices(node: NodeView): AxisSlice[] {
  const shape = node.shapeOf(0);
  const [starts, ends] = [node.constantInts(1) ?? [], node.constantInts(2) ?? []];
  const axes = node.constantInts(3) ?? range(starts.length);
  const steps = node.constantInts(4) ?? starts.map(() => 1);
  return starts.map((start, index) => {
    const axis = node.axis(axes[index] ?? NaN, shape.length);
    const size = shape[axis] ?? 0;
    const step = steps[index] ?? 1;
    if (step === 0) throw node.malformed(`step ${index} is 0.`);
    const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1];
    const clamped = (position: number) =>
      Math.min(highest, Math.max(lowest, position < 0 ? position + size : position));
    const end = ends[index] ?? size;
    const [from, to] = [Math.max(0, clamped(start)), clamped(end)];
    return { axis, step, positions: range(Math.max(0, Math.ceil((to - from) / step))).map((at) => from + at * step) };
  });
}

function slicedShape(node: NodeView, taken: readonly AxisSlice[]): number[] {
  const shape = [...node.shapeOf(0)];
  for (const { axis, positions } of taken) shape[axis] = positions.length;
  return shape;
}

/** Zeros around what was taken; where every second element was, or the order was turned, between them too. */
function sliceGradient(node: DifferentiatedNode): string {
  const { graph } = node;
  const shape = node.shapeOf(0);
  const taken = slices(node);
  let gradient = node.gradient;
  const pads = new Array<number>(shape.length * 2).fill(0);
  for (const { axis, positions, step } of taken) {
    const size = shape[axis] ?? 0;
    const count = positions.length;
    if (step === 1) {
      pads[axis] = positions[0] ?? 0;
      pads[axis + shape.length] = size - count - (pads[axis] ?? 0);
      continue;
    }
    // One row of zeros behind, which every position that was not taken gathers.
    const onlyBehind = range(shape.length * 2).map((at) => (at === axis + shape.length ? 1 : 0));
    const padded = graph.add('Pad', [gradient, graph.ints(onlyBehind)]);
    const sources = range(size).map((position) => {
      const at = positions.indexOf(position);
      return at === -1 ? count : at;
    });
    gradient = graph.add('Gather', [padded, graph.ints(sources)], { axis: int(axis) });
  }
  return pads.every((pad) => pad === 0) ? gradient : graph.add('Pad', [gradient, graph.ints(pads)]);
}
