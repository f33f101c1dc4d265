import type { Dimension } from '../model.ts';
import { type InferenceRule, type NodeFacts, UNKNOWN, type ValueFacts } from './facts.ts';
import { broadcastShapes, elementsOf, fromFront, remainingSize, times } from './sizes.ts';

const withElements = (facts: ValueFacts, elements: readonly Dimension[] | undefined): ValueFacts =>
  elements ? { ...facts, elements } : facts;

export const transpose: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  if (!shape) return [{ type, shape }];
  const permutation = node.ints('perm') ?? [...shape.keys()].reverse();
  return [{ type, shape: permutation.map((axis) => shape[axis] ?? null) }];
};

export const reshape: InferenceRule = (node) => {
  const { type, shape, elements } = node.input(0);
  const target = node.input(1).elements ?? node.ints('shape');
  if (!target) {
    const length = node.input(1).shape?.[0];
    return [{ type, shape: typeof length === 'number' ? new Array<null>(length).fill(null) : null }];
  }
  const keepsZero = node.int('allowzero', 0) !== 0;
  const sizes = target.map((size, axis) => (size === 0 && !keepsZero ? (shape?.[axis] ?? null) : size));
  const rest = sizes.filter((size) => size !== -1);
  const missing = shape ? remainingSize(shape, rest) : null;
  return [withElements({ type, shape: sizes.map((size) => (size === -1 ? missing : size)) }, elements)];
};

export const flatten: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  if (!shape) return [{ type, shape: [null, null] }];
  const axis = fromFront(node.int('axis', 1), shape.length);
  return [{ type, shape: [elementsOf(shape.slice(0, axis)), elementsOf(shape.slice(axis))] }];
};

export const squeeze: InferenceRule = (node) => {
  const { type, shape, elements } = node.input(0);
  const axes = node.numbers('axes', 1)?.map((axis) => fromFront(axis, shape?.length ?? 0));
  if (!shape || (!axes && (node.has(1) || shape.some((size) => typeof size !== 'number'))))
    return [{ type, shape: null }];
  const isDropped = (size: Dimension, axis: number) => (axes ? axes.includes(axis) : size === 1);
  return [withElements({ type, shape: shape.filter((size, axis) => !isDropped(size, axis)) }, elements)];
};

export const unsqueeze: InferenceRule = (node) => {
  const { type, shape, elements } = node.input(0);
  const axes = node.numbers('axes', 1);
  if (!shape || !axes) return [{ type, shape: null }];
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => fromFront(axis, rank)));
  const kept = [...shape];
  const result = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (kept.shift() ?? null)));
  return [withElements({ type, shape: result }, elements)];
};

export const concat: InferenceRule = (node) => {
  const { inputs } = node;
  const type = inputs[0]?.type ?? 'other';
  const shapes = inputs.map(({ shape }) => shape);
  const [first] = shapes;
  if (!first || shapes.includes(null)) return [{ type, shape: null }];
  const axis = fromFront(node.int('axis', 0), first.length);
  const sizes = shapes.map((shape) => shape?.[axis] ?? null);
  const total = sizes.every((size) => typeof size === 'number') ? sizes.reduce((sum, size) => sum + size, 0) : null;
  const shape = first.map((size, place): Dimension => {
    if (place === axis) return total;
    return shapes.map((other) => other?.[place] ?? null).find((other) => typeof other === 'number') ?? size;
  });
  const isKnown = inputs.every(({ elements }) => elements);
  return [withElements({ type, shape }, isKnown ? inputs.flatMap(({ elements = [] }) => elements) : undefined)];
};

export const split: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  const count = node.node.outputs.length;
  if (!shape) return node.node.outputs.map(() => ({ type, shape }));
  const axis = fromFront(node.int('axis', 0), shape.length);
  const sizes = node.numbers('split', 1);
  const whole = shape[axis];
  const even = typeof whole === 'number' ? Math.ceil(whole / count) : null;
  return node.node.outputs.map((_, index) => {
    const last = typeof whole === 'number' && even !== null ? whole - even * (count - 1) : null;
    const size = sizes ? (sizes[index] ?? null) : index === count - 1 ? last : even;
    return { type, shape: shape.map((old, place) => (place === axis ? size : old)) };
  });
};

export const slice: InferenceRule = (node) => {
  const { type, shape, elements } = node.input(0);
  if (!shape) return [{ type, shape }];
  const starts = node.numbers('starts', 1);
  const ends = node.numbers('ends', 2);
  const axes = node.numbers('axes', 3) ?? (node.has(3) ? undefined : starts?.map((_, axis) => axis));
  const steps = node.numbers('steps', 4) ?? (node.has(4) ? undefined : starts?.map(() => 1));
  if (!axes || !steps) return [{ type, shape: shape.map(() => null) }];
  const result = [...shape];
  axes.forEach((each, index) => {
    const axis = fromFront(each, shape.length);
    const size = shape[axis] ?? null;
    result[axis] = slicedSize(size, starts?.[index], ends?.[index], steps[index] ?? 1);
  });
  const isPlain = elements && starts?.length === 1 && ends && steps[0] === 1;
  return [withElements({ type, shape: result }, isPlain ? elements.slice(starts[0], ends[0]) : undefined)];
};

function slicedSize(size: Dimension, start: number | undefined, end: number | undefined, step: number): Dimension {
  if (start === undefined || end === undefined) return null;
  const isWhole = step > 0 ? start === 0 && end >= 2 ** 31 - 1 : start === -1 && end <= -(2 ** 31 - 1);
  if (isWhole && Math.abs(step) === 1) return size;
  if (typeof size !== 'number') return null;
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? size : size - 1;
  const within = (place: number) => Math.min(Math.max(place < 0 ? place + size : place, low), high);
  return Math.max(0, Math.ceil((within(end) - within(start)) / step));
}

export const gather: InferenceRule = (node) => {
  const data = node.input(0);
  const indices = node.input(1);
  if (!data.shape || !indices.shape) return [{ type: data.type, shape: null }];
  const axis = fromFront(node.int('axis', 0), data.shape.length);
  const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
  const places = indices.elements;
  const isKnown = data.elements && places?.every((place) => typeof place === 'number');
  const elements = isKnown ? places?.map((place) => data.elements?.at(Number(place)) ?? null) : undefined;
  return [withElements({ type: data.type, shape }, elements)];
};

/** Expand: broadcasting to a shape that is an input. */
export const expand: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  return [{ type, shape: broadcastShapes(shape, node.input(1).elements ?? null) }];
};

export const tile: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  const repeats = node.input(1).elements;
  return [{ type, shape: shape?.map((size, axis) => times(size, repeats?.[axis] ?? null)) ?? null }];
};

export const pad: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  const pads = node.numbers('pads', 1);
  if (!shape) return [{ type, shape }];
  const axes = node.numbers('axes', 3) ?? (node.has(3) ? undefined : [...shape.keys()]);
  if (!pads || !axes) return [{ type, shape: shape.map(() => null) }];
  const result = [...shape];
  axes.forEach((each, index) => {
    const axis = fromFront(each, shape.length);
    const size = result[axis] ?? null;
    const total = (pads[index] ?? 0) + (pads[index + axes.length] ?? 0);
    result[axis] = typeof size === 'number' ? size + total : total === 0 ? size : null;
  });
  return [{ type, shape: result }];
};

/** Reductions, whose axes are an input from opset 18 on, of ReduceSum from 13 on. */
export const reduce: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  if (!shape) return [{ type, shape }];
  const given = node.numbers('axes', 1);
  if (!given && node.has(1)) return [{ type, shape: null }];
  const isNoop = !given && node.int('noop_with_empty_axes', 0) !== 0;
  const axes = new Set((given ?? (isNoop ? [] : [...shape.keys()])).map((axis) => fromFront(axis, shape.length)));
  return [{ type, shape: reduced(shape, axes, node.int('keepdims', 1) !== 0) }];
};

export const argument: InferenceRule = (node) => {
  const { shape } = node.input(0);
  const axes = new Set([fromFront(node.int('axis', 0), shape?.length ?? 0)]);
  return [{ type: 'int64', shape: shape && reduced(shape, axes, node.int('keepdims', 1) !== 0) }];
};

function reduced(shape: readonly Dimension[], axes: ReadonlySet<number>, keeps: boolean): readonly Dimension[] {
  if (keeps) return shape.map((size, axis) => (axes.has(axis) ? 1 : size));
  return shape.filter((_, axis) => !axes.has(axis));
}

export const shapeOf: InferenceRule = (node) => {
  const { shape } = node.input(0);
  if (!shape) return [{ type: 'int64', shape: [null] }];
  const elements = shape.slice(node.int('start', 0), node.int('end', shape.length));
  return [{ type: 'int64', shape: [elements.length], elements }];
};

export const constantOfShape: InferenceRule = (node) => {
  const type = node.attribute('value', 'tensor')?.type ?? 'float32';
  const sizes = node.input(0).elements;
  const rank = node.input(0).shape?.[0];
  return [{ type, shape: sizes ?? (typeof rank === 'number' ? new Array<null>(rank).fill(null) : null) }];
};

export const oneHot: InferenceRule = (node) => {
  const { shape } = node.input(0);
  const depth = node.input(1).elements?.[0] ?? null;
  const { type } = node.input(2);
  if (!shape) return [{ type, shape }];
  const axis = fromFront(node.int('axis', -1), shape.length + 1);
  return [{ type, shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)] }];
};

/** LSTM, GRU and RNN: [time, directions, batch, units], then the last state, and the last cell of an LSTM. */
export const recurrent: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  const [directions, , units] = recurrenceSizes(node);
  const [time, batch] = shape ?? [null, null];
  const state: ValueFacts = { type, shape: [directions, batch ?? null, units] };
  return [{ type, shape: [time ?? null, directions, batch ?? null, units] }, state, state];
};

function recurrenceSizes(node: NodeFacts): [Dimension, Dimension, Dimension] {
  const [directions = null, gates = null, units = null] = node.input(2).shape ?? [];
  return [directions, gates, units];
}

/** Scan, from what its body says of its outputs: the states first, then a slice for each step along an axis of its own. */
export const scan: InferenceRule = (node) => {
  const body = node.attribute('body', 'graph');
  const scanned = node.int('num_scan_inputs', 1);
  const states = node.node.inputs.length - scanned;
  const inputAxis = node.ints('scan_input_axes')?.[0] ?? 0;
  const sequence = node.input(states).shape;
  const steps = sequence?.[fromFront(inputAxis, sequence.length)] ?? null;
  const outputAxes = node.ints('scan_output_axes');
  return (body?.outputs ?? []).map(({ type, shape }, index) => {
    if (index < states) return { type, shape: node.input(index).shape ?? shape };
    if (!shape) return { type, shape };
    const axis = fromFront(outputAxes?.[index - states] ?? 0, shape.length + 1);
    return { type, shape: [...shape.slice(0, axis), steps, ...shape.slice(axis)] };
  });
};

export const einsum: InferenceRule = (node) => {
  const [operands = '', result] = node.string('equation', '').replaceAll(' ', '').split('->');
  if (result === undefined || operands.includes('.')) return [{ ...UNKNOWN, type: node.input(0).type }];
  const sizes = new Map<string, Dimension>();
  operands.split(',').forEach((letters, operand) => {
    [...letters].forEach((letter, axis) => sizes.set(letter, node.input(operand).shape?.[axis] ?? null));
  });
  return [{ type: node.input(0).type, shape: [...result].map((letter) => sizes.get(letter) ?? null) }];
};
