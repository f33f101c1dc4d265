import { int } from '@atelier/onnx';
import { activated, activationOf } from '../activations.ts';
import { malformed } from '../errors.ts';
import type { Value } from '../graph/value.ts';
import { followsTfjs, type LayerCall, type Rule, unlessIgnored } from '../rule.ts';
import { inOwnLayout, knownChannels, type SpatialInput, spatialInput } from './spatial-input.ts';
import { placed, type Window } from './windows.ts';

/** Kernels are [...window, channels, filters]; ONNX has [filters, channels / group, ...window]. */
export const convolution =
  (axes: number): Rule =>
  (call) => {
    const { settings } = call;
    const input = spatialInput(call, axes);
    const window = windowOf(call, axes);
    const filters = settings.wholeNumber('filters');
    const group = unlessIgnored(call, 'groups', settings.wholeNumber('groups', 1), 1);
    const channels = knownChannels(call, input);
    if (channels % group !== 0 || filters % group !== 0) {
      throw malformed(
        `Layer "${call.name}" (${call.className}) has ${group} groups, ${channels} channels and ${filters} filters; ` +
          'expected multiples of the groups.',
      );
    }
    const kernel = call.weight('kernel', [...window.size, channels / group, filters], {
      permutation: filtersFirst(axes),
    });
    const result = convolved(call, input, window, { kernel, bias: biasOf(call, filters), group });
    return activated(call, axes === 1 ? inLayoutOf1D(call, input, result) : inOwnLayout(call, input, result));
  };

/** Each channel by itself; kernels are [...window, channels, multiplier], and output `c · multiplier + m` is of channel c. */
export const depthwiseConvolution =
  (axes: number): Rule =>
  (call) => {
    const input = spatialInput(call, axes);
    const window = windowOf(call, axes);
    const isInTfjs = axes === 2;
    const none = window.size.map(() => 1);
    const dilations = isInTfjs ? unlessIgnored(call, 'dilation_rate', window.dilations, none) : window.dilations;
    const result = channelByChannel(call, input, { ...window, dilations }, depthwisePart(call), (outputs) =>
      biasOf(call, outputs),
    );
    return activated(call, inOwnLayout(call, input, result));
  };

/** A convolution of each channel by itself, and one of a single element that mixes them. */
export const separableConvolution =
  (axes: number): Rule =>
  (call) => {
    const { scope, settings } = call;
    const input = spatialInput(call, axes);
    const filters = settings.wholeNumber('filters');
    const depthwise = channelByChannel(call, input, windowOf(call, axes), 'depthwise_kernel');
    const ones = Array.from({ length: axes }, () => 1);
    const mixed = knownChannels(call, input) * multiplierOf(call, 'depthwise_kernel');
    const kernel = call.weight('pointwise_kernel', [...ones, mixed, filters], { permutation: filtersFirst(axes) });
    const result = scope.add('Conv', [depthwise, kernel, biasOf(call, filters)], {}, 'pointwise');
    return input.isFirst && axes === 2
      ? activatedFirst(call, result)
      : activated(call, inOwnLayout(call, input, result));
  };

/** The convolution of a layer, [batch, filters, ...space]. */
function convolved(
  { scope, ...call }: LayerCall,
  input: SpatialInput,
  window: Window,
  { kernel, bias, group }: { kernel: Value; bias: Value | undefined; group: number },
): Value {
  const { value, attributes } = placed({ ...call, scope }, input, window);
  const grouped = group === 1 ? {} : { group: int(group) };
  return scope.add('Conv', [value, kernel, bias], { ...attributes, ...grouped }, 'convolved');
}

function channelByChannel(
  call: LayerCall,
  input: SpatialInput,
  window: Window,
  part: string,
  bias: (outputs: number) => Value | undefined = () => undefined,
): Value {
  const channels = knownChannels(call, input);
  const multiplier = multiplierOf(call, part);
  const axes = window.size.length;
  const outputs = channels * multiplier;
  const kernel = call.weight(part, [...window.size, channels, multiplier], {
    permutation: [axes, axes + 1, ...window.size.keys()],
    shape: [outputs, 1, ...window.size],
  });
  return convolved(call, input, window, { kernel, bias: bias(outputs), group: channels });
}

/** How many outputs each channel has. TensorFlow.js does not write it down for a SeparableConv2D: the kernel says it. */
function multiplierOf(call: LayerCall, part: string): number {
  return call.settings.wholeNumber('depth_multiplier', call.weightShape(part)?.at(-1) ?? 1);
}

/** Keras 3 calls the kernel of a depthwise layer what it calls any other. */
function depthwisePart(call: LayerCall): string {
  return call.hasWeight('depthwise_kernel') || !call.hasWeight('kernel') ? 'depthwise_kernel' : 'kernel';
}

function windowOf({ settings }: LayerCall, axes: number): Window {
  return {
    size: settings.wholeNumbers('kernel_size', axes, NaN),
    strides: settings.wholeNumbers('strides', axes, 1),
    dilations: settings.wholeNumbers('dilation_rate', axes, 1),
  };
}

export function biasOf(call: LayerCall, filters: number): Value | undefined {
  return call.settings.boolean('use_bias', true) ? call.weight('bias', [filters]) : undefined;
}

/** From [...window, one, other] to [other, one, ...window]. */
export function filtersFirst(axes: number): number[] {
  return [axes + 1, axes, ...Array.from({ length: axes }, (_, axis) => axis)];
}

function inLayoutOf1D(call: LayerCall, input: SpatialInput, result: Value): Value {
  if (!input.isFirst) return inOwnLayout(call, input, result);
  const isLast = followsTfjs(call, 'leaves the channels of the result last, whatever data_format says');
  return isLast ? call.scope.channelsLast(result) : result;
}

/** TensorFlow.js activates before it brings the channels to the front, which matters to what works along an axis. */
function activatedFirst(call: LayerCall, result: Value): Value {
  if (call.settings.boolean('use_bias', true) && call.dialect.semantics === 'tfjs') {
    call.warn('Its bias is added to the channels, as Keras does; TensorFlow.js adds it along the height, or fails.');
  }
  const isAlongAxis = ['softmax', 'log_softmax'].includes(activationOf(call));
  if (!isAlongAxis || !followsTfjs(call, 'activates along the channels, whatever data_format says')) {
    return activated(call, result);
  }
  const { scope } = call;
  return scope.channelsFirst(activated(call, scope.channelsLast(result)));
}
