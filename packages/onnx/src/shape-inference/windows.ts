import type { Dimension } from '../model.ts';
import { type InferenceRule, type NodeFacts, UNKNOWN, type ValueFacts } from './facts.ts';
import { times } from './sizes.ts';

/** Conv: [batch, channels, ...space] with a kernel [filters, channels / group, ...]. */
export const conv: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  const kernel = node.input(1).shape;
  if (!shape || !kernel) return [{ type, shape: null }];
  const kernelShape = kernel.slice(2).map(numberOf);
  return [{ type, shape: [shape[0] ?? null, kernel[0] ?? null, ...windowed(node, shape.slice(2), kernelShape)] }];
};

/** MaxPool and AveragePool; the second output of MaxPool is the places of the maxima. */
export const pool: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  const kernelShape = node.ints('kernel_shape');
  if (!shape || !kernelShape) return [{ type, shape: null }];
  const space = windowed(node, shape.slice(2), kernelShape);
  const result: ValueFacts = { type, shape: [shape[0] ?? null, shape[1] ?? null, ...space] };
  return [result, { ...result, type: 'int64' }];
};

export const globalPool: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  return [{ type, shape: shape?.map((size, axis) => (axis < 2 ? size : 1)) ?? null }];
};

/** ConvTranspose with a kernel [channels, filters / group, ...]. */
export const convTranspose: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  const kernel = node.input(1).shape;
  if (!shape || !kernel) return [{ type, shape: null }];
  const group = node.int('group', 1);
  const filters = typeof kernel[1] === 'number' ? kernel[1] * group : null;
  const { strides, dilations, pads, autoPad } = settings(node, kernel.length - 2);
  const outputShape = node.ints('output_shape');
  const outputPadding = node.ints('output_padding');
  const space = shape.slice(2).map((size, axis): Dimension => {
    if (outputShape) return outputShape[axis] ?? null;
    const kernelSize = kernel[axis + 2];
    const stride = strides[axis] ?? 1;
    if (typeof kernelSize !== 'number') return null;
    if (autoPad.startsWith('SAME')) return times(size, stride);
    const padded = (pads[axis] ?? 0) + (pads[axis + shape.length - 2] ?? 0);
    const extent = (kernelSize - 1) * (dilations[axis] ?? 1) + 1;
    const added = (outputPadding?.[axis] ?? 0) + extent - padded;
    return typeof size === 'number' ? stride * (size - 1) + added : stride === 1 && added === 1 ? size : null;
  });
  return [{ type, shape: [shape[0] ?? null, filters, ...space] }];
};

function windowed(node: NodeFacts, space: readonly Dimension[], kernelShape: readonly (number | undefined)[]) {
  const { strides, dilations, pads, autoPad } = settings(node, space.length);
  const isCeil = node.int('ceil_mode', 0) !== 0;
  return space.map((size, axis): Dimension => {
    const kernelSize = kernelShape[axis];
    const stride = strides[axis] ?? 1;
    if (kernelSize === undefined) return null;
    const extent = (kernelSize - 1) * (dilations[axis] ?? 1) + 1;
    const isSame = autoPad.startsWith('SAME');
    const padded = autoPad === 'VALID' ? 0 : (pads[axis] ?? 0) + (pads[axis + space.length] ?? 0);
    // A stride of 1 that pads as much as the window takes keeps a size, known or not.
    if (stride === 1 && (isSame || padded === extent - 1)) return size;
    if (typeof size !== 'number') return null;
    if (isSame) return Math.ceil(size / stride);
    const steps = (size + padded - extent) / stride;
    if (!isCeil) return Math.floor(steps) + 1;
    const count = Math.ceil(steps) + 1;
    // A window that would begin in the padding after the end does not count.
    return (count - 1) * stride >= size + (pads[axis] ?? 0) ? count - 1 : count;
  });
}

function settings(node: NodeFacts, rank: number) {
  const ones = new Array<number>(rank).fill(1);
  return {
    strides: node.ints('strides') ?? ones,
    dilations: node.ints('dilations') ?? ones,
    pads: node.ints('pads') ?? [],
    autoPad: node.string('auto_pad', 'NOTSET'),
  };
}

function numberOf(size: Dimension): number | undefined {
  return typeof size === 'number' ? size : undefined;
}

/** Resize to known sizes, the last input, or by known scales, the one before it. */
export const resize: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  if (!shape) return [UNKNOWN];
  const sizes = node.input(3).elements;
  if (sizes?.length === shape.length) return [{ type, shape: sizes }];
  const scales = node.input(2).floats;
  return [{ type, shape: shape.map((size, axis) => scaled(size, scales?.[axis])) }];
};

/** What Resize was until opset 9: its scales were an attribute, and then input 1. */
export const upsample: InferenceRule = (node) => {
  const { type, shape } = node.input(0);
  if (!shape) return [UNKNOWN];
  const scales = node.input(1).floats ?? node.attribute('scales', 'floats');
  return [{ type, shape: shape.map((size, axis) => scaled(size, scales?.[axis])) }];
};

function scaled(size: Dimension, scale: number | undefined): Dimension {
  if (scale === 1) return size;
  return typeof size === 'number' && scale !== undefined ? Math.floor(Math.fround(size * scale)) : null;
}
