import { float } from '@atelier/onnx';
import { unsupported } from '../errors.ts';
import { rankOf, type Value } from '../graph/value.ts';
import { type LayerCall, onlyInput, type Rule } from '../rule.ts';
import { parameterSizes } from './layer-normalization.ts';
import { scaled } from './standardise.ts';

/** With its moving statistics. ONNX's operator has its channels on axis 1. */
export const batchNormalization: Rule = (call) => {
  const axes = axesOf(call);
  const [axis = 1, ...others] = axes;
  return others.length > 0 ? overAxes(call, axes) : alongAxis(call, axis);
};

/** `epsilon` is always written: Keras's default is 1e-3, ONNX's 1e-5. */
function alongAxis(call: LayerCall, axis: number): Value {
  const { scope, settings } = call;
  const input = onlyInput(call);
  const [channels = 0] = parameterSizes(call, [axis]);
  const constant = (part: string, number: number) => scope.filled([channels], number, part);
  const statistics = [
    settings.boolean('scale', true) ? call.weight('gamma', [channels]) : constant('gamma', 1),
    settings.boolean('center', true) ? call.weight('beta', [channels]) : constant('beta', 0),
    call.weight('moving_mean', [channels]),
    call.weight('moving_variance', [channels]),
  ];
  const attributes = { epsilon: float(epsilonOf(call)) };
  if (axis === 1) return scope.add('BatchNormalization', [input, ...statistics], attributes);
  const others = [...input.shape.keys()].filter((each) => each !== 0 && each !== axis);
  const there = [0, axis, ...others];
  const back = there.map((_, place) => there.indexOf(place));
  const moved = scope.transpose(input, there, 'channels_first');
  return scope.transpose(scope.add('BatchNormalization', [moved, ...statistics], attributes), back, 'channels_last');
}

/** Over several axes Keras has a statistic for each of their places together: weights with size 1 along the others. */
function overAxes(call: LayerCall, axes: readonly number[]): Value {
  const { scope, settings } = call;
  const input = onlyInput(call);
  parameterSizes(call, axes);
  const shape = input.shape.map((size, axis) => (axes.includes(axis) ? (size as number) : 1));
  const variance = call.weightValues('moving_variance', shape);
  const gamma = settings.boolean('scale', true) ? call.weightValues('gamma', shape) : undefined;
  const factors = variance.map((each, index) => (gamma?.[index] ?? 1) / Math.sqrt(each + epsilonOf(call)));
  const centred = scope.add('Sub', [input, call.weight('moving_mean', shape)], {}, 'centred');
  const beta = settings.boolean('center', true) ? call.weight('beta', shape) : undefined;
  return scaled(scope, centred, scope.floats(shape, factors, 'factor'), beta);
}

function epsilonOf({ settings }: LayerCall): number {
  return settings.number('epsilon', 1e-3);
}

function axesOf(call: LayerCall): number[] {
  const rank = rankOf(onlyInput(call));
  const axes = call.settings.axes('axis', -1, rank);
  if (axes.includes(0)) {
    throw unsupported(
      `Layer "${call.name}" is a BatchNormalization over the batch; supported: axes of features. ` +
        'Build it with an axis behind the batch.',
    );
  }
  const [axis] = axes;
  const isAsked = call.dialect.isChosen && call.dialect.semantics === 'keras';
  if (axes.length === 1 && axis !== rank - 1 && !isAsked) {
    // https://github.com/tensorflow/tfjs/issues/1106
    call.warn(
      `It normalises axis ${axis} of ${rank}, as Keras does; the cpu and wasm backends of TensorFlow.js cycle through ` +
        'the channels as if the axis were the last, and give something else.',
    );
  }
  return axes;
}
