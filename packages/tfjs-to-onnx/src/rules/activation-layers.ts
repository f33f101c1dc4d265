import { type AttributeSource, float } from '@atelier/onnx';
import { activated, clip } from '../activations.ts';
import { malformed } from '../errors.ts';
import { isKnownShape, shownShape, type Value } from '../graph/value.ts';
import { type LayerCall, type MaskRule, onlyInput, type Rule, unlessIgnored } from '../rule.ts';

export const activation: Rule = (call) => activated(call, onlyInput(call));

/** Of layers that pass masks on in Keras, and take them off in TensorFlow.js. */
export const keptByKeras: MaskRule = ({ masks, dialect }) => (dialect.semantics === 'keras' ? masks[0] : undefined);

/**
 * Keras: x above the threshold and 0 below, at most `max_value`; less `negative_slope` of what is missing to the threshold.
 * TensorFlow.js knows `max_value` alone.
 */
export const reLU: Rule = (call) => {
  const { settings, scope } = call;
  const input = onlyInput(call);
  const slope = unlessIgnored(call, 'negative_slope', settings.number('negative_slope', 0), 0);
  const threshold = unlessIgnored(call, 'threshold', settings.number('threshold', 0), 0);
  const maximum = settings.get('max_value') === undefined ? undefined : settings.number('max_value');
  if (maximum !== undefined && maximum < 0) {
    throw malformed(`Layer "${call.name}" (ReLU) has max_value ${maximum}; expected 0 or more.`);
  }
  if (threshold === 0 && slope === 0) {
    return maximum === undefined ? scope.add('Relu', [input]) : clip(input, scope, 0, maximum);
  }
  if (threshold === 0) {
    const leaky = scope.add('LeakyRelu', [input], { alpha: float(slope) });
    return maximum === undefined ? leaky : scope.add('Min', [leaky, scope.float(maximum, 'maximum')]);
  }
  const above = scope.add('ThresholdedRelu', [input], { alpha: float(threshold) }, 'above');
  const limited = maximum === undefined ? above : clip(above, scope, 0, maximum);
  if (slope === 0) return limited;
  const missing = scope.add('Relu', [scope.add('Sub', [scope.float(threshold, 'threshold'), input])], {}, 'missing');
  return scope.add('Sub', [limited, scope.add('Mul', [missing, scope.float(slope, 'slope')])]);
};

/** Keras 3 renamed `alpha`; TensorFlow.js does not know the new name and takes its default. */
export const leakyReLU: Rule = (call) => {
  const { settings } = call;
  const known = settings.number('alpha', 0.3);
  const slope = settings.get('negative_slope') === undefined ? known : settings.number('negative_slope');
  return elementwise(call, 'LeakyRelu', { alpha: float(unlessIgnored(call, 'negative_slope', slope, known)) });
};

/** Slopes of their own along all axes but the batch and `shared_axes`, which count from 1. */
export const pReLU: Rule = (call) => {
  const { name, settings, scope } = call;
  const input = onlyInput(call);
  const written = settings.get('shared_axes') ?? [];
  const shared: unknown[] = Array.isArray(written) ? written : [written];
  const slopes = input.shape.slice(1).map((size, index) => (shared.includes(index + 1) ? 1 : size));
  if (isKnownShape(slopes)) return scope.add('PRelu', [input, call.weight('alpha', slopes)]);
  throw malformed(
    `Layer "${name}" (PReLU) takes ${shownShape(input.shape)} and shares its slopes along axes ${JSON.stringify(shared)}; ` +
      'expected known sizes along the others. Give the sizes of the input with --input-shape.',
  );
};

export const elu: Rule = (call) => elementwise(call, 'Elu', { alpha: float(call.settings.number('alpha', 1)) });

export const thresholdedReLU: Rule = (call) =>
  elementwise(call, 'ThresholdedRelu', { alpha: float(call.settings.number('theta', 1)) });

function elementwise(call: LayerCall, opType: string, attributes: Record<string, AttributeSource>): Value {
  return call.scope.add(opType, [onlyInput(call)], attributes);
}
