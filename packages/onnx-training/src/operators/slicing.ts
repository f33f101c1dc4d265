import { int } from '@atelier/onnx';
import type { DifferentiatedNode } from '../differentiated-node.ts';
import type { NodeView } from '../node-view.ts';
import { range } from '../shapes.ts';
import { valueOfShape } from './inference.ts';
import type { Operator } from './operator.ts';

/** Operators that cut a part out of a value or put it into a larger one. Their gradients do the other. */
export const SLICING = {
  Slice: {
    limits: 'starts, ends, axes and steps are constants',
    infer: (node) => valueOfShape(node, slicedShape(node, slices(node))),
    gradient: (node) => [node.ifWanted(0, () => sliceGradient(node))],
  },
  Pad: {
    limits: 'mode `constant`; the pads are a constant; not by the value',
    infer: (node) => {
      const pads = padsOfAllAxes(node);
      const rank = node.shapeOf(0).length;
      return valueOfShape(
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

/** What a Pad adds before each axis, then what it adds behind each. */
function padsOfAllAxes(node: NodeView): number[] {
  const rank = node.shapeOf(0).length;
  const given = node.constantInts(1) ?? [];
  const axes = node.axes(node.constantInts(3) ?? range(rank), rank);
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
  const axes = node.axes(node.constantInts(3) ?? range(starts.length), shape.length);
  const steps = node.constantInts(4) ?? starts.map(() => 1);
  return starts.map((start, index) => {
    const axis = axes[index] ?? NaN;
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
