import { type AttributeSource, type Dimension, ints, string } from '@atelier/onnx';
import { malformed, unsupported } from '../errors.ts';
import type { Value } from '../graph/value.ts';
import { followsTfjs, type LayerCall } from '../rule.ts';
import type { SpatialInput } from './spatial-input.ts';

/** A window over space: a number for each axis. */
export interface Window {
  size: readonly number[];
  strides: readonly number[];
  dilations: readonly number[];
}

/** What a window moves over, and how an operator is told: `strides`, `dilations`, `pads` or `auto_pad`. */
export interface Placed {
  value: Value;
  attributes: Record<string, AttributeSource>;
}

export type Pads = readonly [begin: number, end: number];

/** How far a window reaches, with its gaps. */
export function extentsOf({ size, dilations }: Window): number[] {
  return size.map((each, axis) => (each - 1) * (dilations[axis] ?? 1) + 1);
}

/**
 * A window with the padding of its layer. Pads are written as numbers where they follow from the file; where a size is open
 * and matters, the runtime finds them by the same rule (SAME_UPPER: what is odd goes to the end).
 */
export function placed(call: LayerCall, input: SpatialInput, window: Window): Placed {
  const { value, space } = input;
  const steps = { ...unlessOnes('strides', window.strides), ...unlessOnes('dilations', window.dilations) };
  const extents = extentsOf(window);
  switch (call.settings.choice('padding', ['valid', 'same', 'causal'], 'valid')) {
    case 'valid':
      requireFit(call, space, extents);
      return { value, attributes: steps };
    case 'causal':
      // Only the past: as much as the window reaches, in front.
      return { value, attributes: { ...steps, ...padsOf(causalPads(call, extents)) } };
    case 'same': {
      const same = samePlaces(call, input, extents, window.strides);
      return { value: same.value, attributes: { ...steps, ...same.attributes } };
    }
  }
}

function samePlaces(
  call: LayerCall,
  { value, space }: SpatialInput,
  extents: readonly number[],
  strides: readonly number[],
): Placed {
  const pads = extents.map((extent, axis) => samePads(space[axis] ?? null, extent, strides[axis] ?? 1));
  const skips = extents.map((extent, axis) => extent < (strides[axis] ?? 1));
  if (!skips.includes(true)) {
    return { value, attributes: everyKnown(pads) ? padsOf(pads) : { auto_pad: string('SAME_UPPER') } };
  }
  // A window that is smaller than its step takes no padding. In three dimensions TensorFlow.js takes less than none, and
  // begins after the first element (`get3DPadAndOutInfo` of tfjs-core's `conv_util`).
  const isOpen = skips.some((skip, axis) => skip && typeof space[axis] !== 'number');
  const isNegative = pads.some((each) => each !== undefined && Math.min(...each) < 0);
  const isShifted =
    space.length === 3 &&
    (isOpen || isNegative) &&
    followsTfjs(call, 'begins inside the input where strides are larger than the window');
  // The runtime's own rule would have less than no padding.
  const known: readonly Pads[] | undefined = everyKnown(pads) ? pads : undefined;
  if ((isShifted && isOpen) || !known) {
    throw unsupported(
      `Layer "${call.name}" (${call.className}) has padding 'same' with strides that are larger than its window, over an open ` +
        'size. Give the size of the input with --input-shape.',
    );
  }
  const attributes = padsOf(known.map(([begin, end]): Pads => [Math.max(0, begin), Math.max(0, end)]));
  if (!isShifted) return { value, attributes };
  const borders = known.map(([begin, end]): Pads => [Math.max(0, -begin), Math.max(0, -end)]);
  return { value: call.scope.cropped(value, 2, borders), attributes };
}

/**
 * Padding 'same': an output for each stride that begins within the input, and what is odd at the end. Undefined where an
 * open size decides. Zeros that no window reaches do no harm, so a window of one or two elements has the same pads always.
 */
function samePads(size: Dimension, extent: number, stride: number): Pads | undefined {
  if (typeof size !== 'number') return stride === 1 || extent <= 2 ? halves(extent - 1) : undefined;
  return halves(extent - (size - (Math.ceil(size / stride) - 1) * stride));
}

/** What is odd goes to the end, and of less than nothing to the beginning. */
export function halves(total: number): Pads {
  const begin = Math.floor(total / 2);
  return [begin, total - begin];
}

function causalPads({ name, className }: LayerCall, extents: readonly number[]): Pads[] {
  if (extents.length === 1) return extents.map((extent) => [extent - 1, 0]);
  throw malformed(`Layer "${name}" (${className}) has padding causal; expected it of one axis of space only.`);
}

function everyKnown(pads: readonly (Pads | undefined)[]): pads is readonly Pads[] {
  return pads.every((each) => each !== undefined);
}

/** ONNX's order: all beginnings, then all ends. Nothing where there are none. */
export function padsOf(pads: readonly Pads[]): Record<string, AttributeSource> {
  const flat = [...pads.map(([begin]) => begin), ...pads.map(([, end]) => end)];
  return flat.some((count) => count !== 0) ? { pads: ints(flat) } : {};
}

/** 1 along each axis is ONNX's default. */
export function unlessOnes(name: string, numbers: readonly number[]): Record<string, AttributeSource> {
  return numbers.some((number) => number !== 1) ? { [name]: ints(numbers) } : {};
}

function requireFit({ name, className }: LayerCall, space: readonly Dimension[], extents: readonly number[]): void {
  const axis = extents.findIndex((extent, index) => typeof space[index] === 'number' && space[index] < extent);
  if (axis < 0) return;
  throw malformed(
    `Layer "${name}" (${className}) has a window that reaches over ${extents[axis]} elements of ${String(space[axis])}, ` +
      "without padding; expected a larger input, or padding 'same'.",
  );
}
