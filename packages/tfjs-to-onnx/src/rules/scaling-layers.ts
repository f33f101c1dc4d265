import { float } from '@atelier/onnx';
import { malformed, unsupported } from '../errors.ts';
import { rankOf, shownShape } from '../graph/value.ts';
import { type LayerCall, onlyInput, type Rule } from '../rule.ts';

/** `epsilon` is always written: Keras's default is 1e-3, ONNX's 1e-5. ONNX's operator has its channels on axis 1. */
export const batchNormalization: Rule = (call) => {
  const { scope, settings } = call;
  const input = onlyInput(call);
  const axis = axisOf(call);
  const channels = input.shape[axis];
  if (typeof channels !== 'number') {
    throw malformed(
      `Layer "${call.name}" normalises axis ${axis} of ${shownShape(input.shape)}; expected a known size there.`,
    );
  }
  const constant = (part: string, number: number) =>
    scope.floats([channels], new Float32Array(channels).fill(number), part);
  const statistics = [
    settings.boolean('scale', true) ? call.weight('gamma', [channels]) : constant('gamma', 1),
    settings.boolean('center', true) ? call.weight('beta', [channels]) : constant('beta', 0),
    call.weight('moving_mean', [channels]),
    call.weight('moving_variance', [channels]),
  ];
  const attributes = { epsilon: float(settings.number('epsilon', 1e-3)) };
  if (axis === 1) return scope.add('BatchNormalization', [input, ...statistics], attributes);
  const others = [...input.shape.keys()].filter((each) => each !== 0 && each !== axis);
  const there = [0, axis, ...others];
  const back = there.map((_, place) => there.indexOf(place));
  const moved = scope.transpose(input, there, 'channels_first');
  return scope.transpose(scope.add('BatchNormalization', [moved, ...statistics], attributes), back, 'channels_last');
};

function axisOf(call: LayerCall): number {
  const rank = rankOf(onlyInput(call));
  const axis = call.settings.axis('axis', -1, rank);
  if (axis === undefined || axis === 0) {
    throw unsupported(
      `Layer "${call.name}" is a BatchNormalization over ${axis === 0 ? 'the batch' : 'several axes'}; supported: one axis of features.`,
    );
  }
  if (axis !== rank - 1) {
    // https://github.com/tensorflow/tfjs/issues/1106
    call.warn(
      `It normalises axis ${axis} of ${rank}, as Keras does; the cpu and wasm backends of TensorFlow.js cycle through ` +
        'the channels as if the axis were the last, and give something else.',
    );
  }
  return axis;
}

/** x·scale + offset. */
export const rescaling: Rule = (call) => {
  const { scope, settings } = call;
  const scale = settings.number('scale');
  const offset = settings.number('offset', 0);
  const input = onlyInput(call);
  const scaled = scale === 1 ? input : scope.add('Mul', [input, scope.float(scale, 'scale')], {}, 'scaled');
  return offset === 0 ? scaled : scope.add('Add', [scaled, scope.float(offset, 'offset')]);
};
