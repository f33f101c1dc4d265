import { ints } from '@atelier/onnx';
import type { Value } from '../graph/value.ts';
import { followsTfjs, type LayerCall, type Rule, unlessIgnored } from '../rule.ts';
import {
  inOwnLayout,
  inputOfRank,
  isChannelsFirst,
  isChannelsFirstUnlessIgnored,
  spatialInput,
} from './spatial-input.ts';
import { placed } from './windows.ts';

/** Padding counts neither for a maximum nor for a mean: ONNX's `count_include_pad` is 0 by default. */
export const pool =
  (opType: 'MaxPool' | 'AveragePool', axes: number): Rule =>
  (call) => {
    const { settings, scope } = call;
    const input = spatialInput(call, axes, isFirstOf(call, axes));
    const size = settings.wholeNumbers('pool_size', axes, 2);
    const strides = settings.wholeNumbers('strides', axes, size);
    const { value, attributes } = placed(call, input, { size, strides, dilations: size.map(() => 1) });
    const result = scope.add(opType, [value], { kernel_shape: ints(size), ...attributes }, 'pooled');
    return inOwnLayout(call, input, result);
  };

/** The maximum or the mean over all of space. */
export const globalPool =
  (opType: 'ReduceMax' | 'ReduceMean', axes: number): Rule =>
  (call) => {
    const { settings, scope } = call;
    const input = inputOfRank(call, axes + 2);
    const isFirst = isFirstOf(call, axes);
    const space = Array.from({ length: axes }, (_, axis) => axis + (isFirst ? 2 : 1));
    const written = settings.boolean('keepdims', false);
    const keeps = axes < 3 ? unlessIgnored(call, 'keepdims', written, false) : written;
    const mask = opType === 'ReduceMean' && axes === 1 ? maskThatCounts(call) : undefined;
    return mask ? maskedMean(call, input, mask, isFirst, keeps) : scope.reduce(opType, input, space, keeps, 'pooled');
  };

/** Keras takes the mean of a sequence over the steps that its mask keeps. */
function maskedMean({ scope }: LayerCall, input: Value, mask: Value, isFirst: boolean, keeps: boolean): Value {
  const steps = isFirst ? 2 : 1;
  const weights = scope.unsqueeze(scope.cast(mask, 'float32'), [isFirst ? 1 : 2], 'step_weights');
  const weighted = scope.add('Mul', [input, weights], {}, 'kept');
  const sum = scope.reduce('ReduceSum', weighted, [steps], keeps, 'sum');
  const count = scope.reduce('ReduceSum', weights, [steps], keeps, 'count');
  return scope.add('Div', [sum, count], {}, 'mean');
}

function maskThatCounts(call: LayerCall): Value | undefined {
  const [mask] = call.masks;
  return mask && !followsTfjs(call, 'takes the mean over all steps, masked or not') ? mask : undefined;
}

/** In one dimension TensorFlow.js pools along axis 1 whatever the file says. */
function isFirstOf(call: LayerCall, axes: number): boolean {
  return axes === 1 ? isChannelsFirstUnlessIgnored(call) : isChannelsFirst(call);
}
