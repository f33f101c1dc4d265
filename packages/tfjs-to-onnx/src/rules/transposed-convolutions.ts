import { ints } from '@atelier/onnx';
import { activated } from '../activations.ts';
import type { Value } from '../graph/value.ts';
import { followsTfjs, type LayerCall, type Rule, unlessIgnored } from '../rule.ts';
import { biasOf, filtersFirst } from './convolutions.ts';
import { inOwnLayout, knownChannels, spatialInput } from './spatial-input.ts';
import { extentsOf, halves, padsOf, unlessOnes } from './windows.ts';

/**
 * ConvTranspose gives `stride · (size - 1) + extent - surplus` elements along an axis, and so does Keras, with a surplus that
 * does not depend on the size: it is cut off at both ends, what is odd at the end; where it is negative, it is added there.
 */
export const transposedConvolution =
  (axes: number): Rule =>
  (call) => {
    const { settings, scope } = call;
    const isInTfjs = axes > 1;
    const input = spatialInput(call, axes);
    const size = settings.wholeNumbers('kernel_size', axes, NaN);
    const strides = settings.wholeNumbers('strides', axes, 1);
    const written = settings.wholeNumbers('dilation_rate', axes, 1);
    const none = size.map(() => 1);
    const dilations = isInTfjs ? unlessIgnored(call, 'dilation_rate', written, none) : written;
    const extents = extentsOf({ size, strides, dilations });
    const added = outputPadding(call, axes, isInTfjs);
    const padding = settings.choice('padding', ['valid', 'same'], 'valid');
    const surpluses = extents.map((extent, axis) => surplus(padding, extent, strides[axis] ?? 1, added?.[axis]));
    const filters = settings.wholeNumber('filters');
    const shape = [...size, filters, knownChannels(call, input)];
    const isShifted = axes === 3 && padding === 'same' && surpluses.some((each) => each < 0) && isTfjsShift(call);
    const kernel = isShifted
      ? shiftedKernel(call, shape, surpluses)
      : call.weight('kernel', shape, { permutation: filtersFirst(axes) });
    const rest = isShifted ? surpluses.map((each) => Math.max(0, each)) : surpluses;
    const attributes = {
      ...unlessOnes('strides', strides),
      ...unlessOnes('dilations', dilations),
      ...padsOf(rest.map((each) => halves(Math.max(0, each)))),
      ...(rest.some((each) => each < 0) && { output_padding: ints(rest.map((each) => Math.max(0, -each))) }),
    };
    const result = scope.add('ConvTranspose', [input.value, kernel, biasOf(call, filters)], attributes, 'convolved');
    return activated(call, inOwnLayout(call, input, result));
  };

/** `deconv_output_length` of Keras, of which TensorFlow.js has the part without `output_padding`. */
function surplus(padding: 'valid' | 'same', extent: number, stride: number, added: number | undefined): number {
  if (added === undefined) return padding === 'valid' ? Math.min(extent - stride, 0) : extent - stride;
  return (padding === 'valid' ? 0 : 2 * Math.floor(extent / 2)) - added;
}

function outputPadding(call: LayerCall, axes: number, isInTfjs: boolean): readonly number[] | undefined {
  const { settings } = call;
  const isWritten = settings.get('output_padding') !== undefined;
  const written = isWritten ? settings.wholeNumbers('output_padding', axes, 0, 0) : null;
  return (isInTfjs ? unlessIgnored(call, 'output_padding', written, null) : written) ?? undefined;
}

function isTfjsShift(call: LayerCall): boolean {
  return followsTfjs(call, 'moves the result of a Conv3DTranspose whose strides are larger than its kernel');
}

/**
 * In three dimensions TensorFlow.js splits a negative surplus like any other, so that zeros come in front as well
 * (`get3DPadAndOutInfo` of tfjs-core's `conv_util`). A kernel with these zeros around it does the same.
 */
function shiftedKernel(call: LayerCall, shape: readonly number[], surpluses: readonly number[]): Value {
  const { scope } = call;
  const kernel = call.weight('kernel', shape, { permutation: filtersFirst(surpluses.length) });
  const zeros = surpluses.map((each) => halves(Math.min(0, each))).map(([begin, end]) => [-begin, -end] as const);
  const pads = [0, 0, ...zeros.map(([begin]) => begin), 0, 0, ...zeros.map(([, end]) => end)];
  return scope.add('Pad', [kernel, scope.ints(pads, 'zeros')], {}, 'shifted_kernel');
}
