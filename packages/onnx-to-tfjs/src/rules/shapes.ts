import type { Dimension } from '@atelier/onnx';
import { type Flattened, identityLayout, layerSizes, reshapeLayer, type Value } from '../layouts.ts';
import type { NodeView, Rule } from '../node-view.ts';

/** Nothing but another name at inference. */
export const passThrough: Rule = (node) => node.value(0);

export const dropout: Rule = (node) => {
  const isTraining = node.has(2) && node.constant(2)?.values[0] !== 0;
  if (isTraining) throw node.refuse('it is in training mode; export the model for inference.');
  return node.value(0);
};

/** An input of another type becomes the float32 numbers that it is cast to; layers compute in float32 alone. */
export const cast: Rule = (node) => {
  const to = node.outputType;
  if (to !== 'float32') throw node.refuse(`it casts to ${to}; supported: float32, in which all layers compute.`);
  return node.value(0);
};

/** No layer: the axes are known under other numbers from here on. */
export const transpose: Rule = (node) => {
  const input = node.value(0);
  const permutation = node.ints('perm') ?? [...input.shape.keys()].reverse();
  if (permutation[0] !== 0) throw node.refuse('it moves the batch; supported: the axes behind it.');
  return {
    ...input,
    shape: permutation.map((axis) => input.shape[axis] ?? null),
    layout: input.layout.map((axis) => permutation.indexOf(axis)),
  };
};

export const flatten: Rule = (node) => {
  const input = node.value(0);
  if (node.axis(node.int('axis', 1), input) !== 1) throw node.refuse('it flattens into the batch; supported: axis 1.');
  return flattened(node, input);
};

/** To sizes that are known or follow; the batch stays as it is. */
export const reshape: Rule = (node) => {
  const input = node.value(0);
  const shape = keepingBatch(node, input, node.outputShape);
  const restOf = ({ shape: [, ...rest] }: Pick<Value, 'shape'>) => rest.filter((size) => size !== 1);
  if (shape.length === 2 && input.shape.length > 2 && restOf(input).length > 1) return flattened(node, input);
  if (restOf(input).join() === restOf({ shape }).join() && !restOf(input).includes(null))
    return renumbered(node, input, shape);
  const plain = node.inGraphOrder(node.arranged(input, identityLayout(input.shape.length)));
  const layer = reshapeLayer(
    node.name(),
    shape.slice(1).map((size) => (typeof size === 'number' ? size : null)),
  );
  if (!layer) throw node.refuse('two sizes of its result are open. Export the model with fixed sizes.');
  return {
    source: node.add(layer, [plain.source]),
    shape,
    layout: identityLayout(shape.length),
    isNonNegative: input.isNonNegative,
  };
};

/** Squeeze and Unsqueeze: axes of size 1 come and go. */
export const unitAxes: Rule = (node) => {
  const input = node.value(0);
  return renumbered(node, input, keepingBatch(node, input, node.outputShape));
};

/** The result's sizes, of which the first must be the batch still. */
function keepingBatch(node: NodeView, { shape }: Value, result: readonly Dimension[]): readonly Dimension[] {
  const elements = (sizes: readonly Dimension[]) =>
    sizes.slice(1).reduce<number>((product, size) => (typeof size === 'number' ? product * size : NaN), 1);
  const [before, after] = [elements(shape), elements(result)];
  const isBatch = result[0] === shape[0] || result[0] === null;
  if (result.length > 0 && isBatch && (Number.isNaN(before) || Number.isNaN(after) || before === after)) {
    return [shape[0] ?? null, ...result.slice(1)];
  }
  throw node.refuse(
    `it makes [${shown(result)}] of [${shown(shape)}]; supported: what leaves the first axis, the batch, alone.`,
  );
}

const shown = (shape: readonly Dimension[]) => shape.map((size) => size ?? '?').join(', ');

/** `value` with other axes of size 1: the k-th axis of another size stays the k-th. */
function renumbered(node: NodeView, value: Value, shape: readonly Dimension[]): Value {
  const longAxes = (sizes: readonly Dimension[]) =>
    sizes.flatMap((size, axis) => (axis === 0 || size !== 1 ? [axis] : []));
  const [before, after] = [longAxes(value.shape), longAxes(shape)];
  const long = value.layout.filter((axis) => before.includes(axis));
  const bare = long.length === value.layout.length ? value : node.arranged(value, long);
  return { ...bare, shape, layout: long.map((axis) => after[before.indexOf(axis)] ?? 0) };
}

/** One axis of all behind the batch. The model flattens its own order; whoever takes the result must know. */
function flattened(node: NodeView, input: Value): Value {
  const { shape, layout } = input;
  const features = shape
    .slice(1)
    .reduce<Dimension>(
      (product, size) => (typeof size === 'number' && typeof product === 'number' ? product * size : null),
      1,
    );
  const result = { ...input, shape: [shape[0] ?? null, features], layout: [0, 1] };
  if (layout.length === 2) return result;
  const long = layout.slice(1).filter((axis) => shape[axis] !== 1);
  const isAlike = long.every((axis, index) => index === 0 || axis > (long[index - 1] ?? 0));
  const source = node.add({ className: 'Flatten', name: node.name() }, [input.source]);
  if (isAlike) return { ...result, source };
  return { ...result, source, flattened: orderOf(node, input) };
}

function orderOf(node: NodeView, value: Value): Flattened {
  const sizes = layerSizes(value);
  const known = sizes.filter((size) => size !== null);
  if (known.length < sizes.length) {
    throw node.refuse('it flattens open sizes in another order than the model. Export the model with fixed sizes.');
  }
  const axes = value.layout.slice(1);
  const sorted = [...axes].sort((first, second) => first - second);
  return { sizes: known, axes: axes.map((axis) => sorted.indexOf(axis)) };
}
