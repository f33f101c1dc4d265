import { channelsLast, type Value } from '../layouts.ts';
import type { NodeView, Rule } from '../node-view.ts';
import { cropped, spatialLengths, zeroPadded } from './images.ts';
import { paddingOf, type Slide, slidesOf, zerosAround } from './windows.ts';

/** The largest of each window; what is padded never is. */
export const maxPool: Rule = (node) => {
  if (node.node.outputs.length > 1 && node.node.outputs[1] !== '') {
    throw node.refuse('its output Indices is used; supported: the values alone.');
  }
  const { input, slides } = prepared(node);
  const padding = paddingOf(slides);
  if (padding !== 'explicit') return pool(node, 'Max', input, slides, padding);
  if (input.isNonNegative) {
    // Zeros are never larger than what is there.
    return pool(node, 'Max', zeroPadded(node, input, zerosAround(slides), `${node.name()}_pad`), slides, 'valid');
  }
  const found = thinnedOut(node, 'Max', input, slides);
  if (found) return found;
  throw node.refuse(
    'it has pads that are not TensorFlow\'s "same" over an input that may be negative, where zeros would count. ' +
      'Put a ReLU before it, or pad so that the kernel is centred.',
  );
};

/** The mean of each window, with the padding counted in or not. */
export const averagePool: Rule = (node) => {
  const { input, slides } = prepared(node);
  const padding = paddingOf(slides);
  const countsPads = node.int('count_include_pad', 0) !== 0;
  const hasPads = slides.some(({ before, after, beyondPads }) => before > 0 || after > beyondPads);
  if (padding === 'valid' || (padding === 'same' && !(countsPads && hasPads))) {
    return pool(node, 'Average', input, slides, padding);
  }
  if (countsPads && slides.every(({ beyondPads }) => beyondPads === 0)) {
    return pool(node, 'Average', zeroPadded(node, input, zerosAround(slides), `${node.name()}_pad`), slides, 'valid');
  }
  const found = countsPads ? undefined : thinnedOut(node, 'Average', input, slides);
  if (found) return found;
  throw node.refuse(
    'its windows at the border have means that no layer computes: pads that are not TensorFlow\'s "same", ' +
      'or ceil_mode with count_include_pad. Set count_include_pad=1 without ceil_mode, or pad so that the kernel is centred.',
  );
};

function prepared(node: NodeView) {
  const input = node.value(0);
  const rank = input.shape.length;
  if (rank < 3 || rank > 4) throw node.refuse(`its input has rank ${rank}; supported: 3 and 4.`);
  const ready = node.channelsLast(input);
  const slides = slidesOf(node, spatialLengths(ready), node.ints('kernel_shape') ?? []);
  if (slides.some(({ dilation }) => dilation > 1)) {
    throw node.refuse('it has dilations; supported: none. TensorFlow.js pools without gaps.');
  }
  return { input: ready, slides };
}

/**
 * A kernel that is padded around its centre gives, at stride 1, what `same` gives; every so many of these are what a larger
 * stride gives. Undefined where the kernel is off its centre.
 */
function thinnedOut(
  node: NodeView,
  kind: 'Max' | 'Average',
  input: Value,
  slides: readonly Slide[],
): Value | undefined {
  const isCentred = slides.every(({ before, kernel, length, stride, outputs }) => {
    const available = length === null ? 0 : Math.floor((length - 1) / stride) + 1;
    return before === Math.floor((kernel - 1) / 2) && outputs !== null && outputs <= available;
  });
  if (!isCentred) return undefined;
  const dense = slides.map((slide): Slide => ({ ...slide, stride: 1, outputs: slide.length }));
  const everywhere = pool(node, kind, input, dense, 'same', '_everywhere');
  const sparse = slides.map((slide): Slide => ({
    ...slide,
    kernel: 1,
    outputs: Math.floor(((slide.length ?? 1) - 1) / slide.stride) + 1,
  }));
  const thinned = pool(node, 'Max', everywhere, sparse, 'valid');
  const surplus = slides.map(({ outputs }, axis) => [0, (sparse[axis]?.outputs ?? 0) - (outputs ?? 0)] as const);
  return cropped(node, thinned, surplus, `${node.name()}_crop`);
}

function pool(
  node: NodeView,
  kind: 'Max' | 'Average',
  input: Value,
  slides: readonly Slide[],
  padding: 'same' | 'valid',
  suffix = '',
): Value {
  const source = node.add(
    {
      className: `${kind}Pooling${slides.length}D`,
      name: `${node.name()}${suffix}`,
      config: {
        pool_size: slides.map(({ kernel }) => kernel),
        strides: slides.map(({ stride }) => stride),
        padding,
        data_format: 'channels_last',
      },
    },
    [input.source],
  );
  const shape = [input.shape[0] ?? null, input.shape[1] ?? null, ...slides.map(({ outputs }) => outputs)];
  return { ...input, source, shape };
}

export const globalAveragePool: Rule = (node) => global(node, 'Average', spatialAxes(node.value(0)), true);

export const globalMaxPool: Rule = (node) => global(node, 'Max', spatialAxes(node.value(0)), true);

/** A reduction over all axes but the batch and one: what a global pool does. */
export const reduce =
  (kind: 'Max' | 'Average'): Rule =>
  (node) => {
    const input = node.value(0);
    const axes = node.numbers('axes', 1)?.map((axis) => node.axis(axis, input)) ?? [];
    return global(
      node,
      kind,
      [...axes].sort((first, second) => first - second),
      node.int('keepdims', 1) !== 0,
    );
  };

const spatialAxes = ({ shape }: Value) => channelsLast(shape.length).slice(1, -1);

function global(node: NodeView, kind: 'Max' | 'Average', axes: readonly number[], keepsAxes: boolean): Value {
  const input = node.value(0);
  const rank = input.shape.length;
  const kept = input.shape.flatMap((_, axis) => (axis === 0 || axes.includes(axis) ? [] : [axis]));
  const [channels] = kept;
  if (axes.includes(0) || channels === undefined || kept.length > 1 || axes.length < 1 || axes.length > 2) {
    throw node.refuse(
      `it reduces axes [${axes.join(', ')}] of ${rank}; supported: one or two of them, so that the batch and one more are left.`,
    );
  }
  const ready = node.arranged(input, [0, ...axes, channels]);
  const source = node.add({ className: `Global${kind}Pooling${axes.length}D`, name: node.name() }, [ready.source]);
  const shape = [input.shape[0] ?? null, input.shape[channels] ?? null];
  // The axes of size 1 are not there in the model, which nobody sees until a layer needs them.
  const [full, layout] = keepsAxes
    ? [input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)), [0, channels]]
    : [shape, [0, 1]];
  return { source, shape: full, layout, isNonNegative: input.isNonNegative };
}
