import { type AttributeSource, float, int } from '@atelier/onnx';
import { activated, clip } from '../activations.ts';
import { unsupported } from '../errors.ts';
import { rankOf } from '../graph/value.ts';
import { type LayerCall, onlyInput, type Rule, unlessIgnored } from '../rule.ts';

export const activation: Rule = (call) => activated(call, onlyInput(call));

/** TensorFlow.js knows `max_value` alone of Keras's settings. */
export const reLU: Rule = (call) => {
  const { settings, scope } = call;
  const slope = unlessIgnored(call, 'negative_slope', settings.number('negative_slope', 0), 0);
  const threshold = unlessIgnored(call, 'threshold', settings.number('threshold', 0), 0);
  const maximum = settings.get('max_value') === undefined ? undefined : settings.number('max_value');
  if (threshold !== 0) {
    throw unsupported(
      `Layer "${call.name}" is a ReLU with threshold ${threshold}; supported: max_value and negative_slope. Use ThresholdedReLU.`,
    );
  }
  if (slope === 0)
    return maximum === undefined ? scope.add('Relu', [onlyInput(call)]) : clip(onlyInput(call), scope, 0, maximum);
  const leaky = elementwise(call, 'LeakyRelu', { alpha: float(slope) });
  return maximum === undefined ? leaky : scope.add('Min', [leaky, scope.float(maximum, 'maximum')]);
};

/** Keras 3 renamed `alpha`; TensorFlow.js does not know the new name and takes its default. */
export const leakyReLU: Rule = (call) => {
  const { settings } = call;
  const known = settings.number('alpha', 0.3);
  const slope = settings.get('negative_slope') === undefined ? known : settings.number('negative_slope');
  return elementwise(call, 'LeakyRelu', { alpha: float(unlessIgnored(call, 'negative_slope', slope, known)) });
};

export const elu: Rule = (call) => elementwise(call, 'Elu', { alpha: float(call.settings.number('alpha', 1)) });

export const thresholdedReLU: Rule = (call) =>
  elementwise(call, 'ThresholdedRelu', { alpha: float(call.settings.number('theta', 1)) });

/** TensorFlow.js's own default axis is 1, unlike the activation's -1 and unlike Keras. */
export const softmax: Rule = (call) => {
  const fallback = call.dialect.semantics === 'tfjs' ? 1 : -1;
  const axis = call.settings.axis('axis', fallback, rankOf(onlyInput(call)));
  if (axis !== undefined) return elementwise(call, 'Softmax', { axis: int(axis) });
  throw unsupported(`Layer "${call.name}" is a Softmax over several axes; supported: one axis.`);
};

function elementwise(call: LayerCall, opType: string, attributes: Record<string, AttributeSource>) {
  return call.scope.add(opType, [onlyInput(call)], attributes);
}
