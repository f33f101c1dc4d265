import { float, int } from '@atelier/onnx';
import { malformed, unsupported } from '../errors.ts';
import { isKnownShape, rankOf, shownShape } from '../graph/value.ts';
import { type LayerCall, onlyInput, type Rule } from '../rule.ts';
import { scaled, standardised } from './standardise.ts';

/** The operator set that brought LayerNormalization. */
const OPERATOR_SINCE = 17;

/**
 * Each element of the batch by its own mean and variance over `axis`. ONNX's operator takes a block of last axes; any other
 * axes, and older operator sets, are written out.
 */
export const layerNormalization: Rule = (call) => {
  const { scope, settings, name } = call;
  if (settings.boolean('rms_scaling', false)) {
    throw unsupported(
      `Layer "${name}" is a LayerNormalization with rms_scaling, whose meaning differs between versions of Keras. ` +
        'Use RMSNormalization.',
    );
  }
  const input = onlyInput(call);
  const rank = rankOf(input);
  const axes = settings.axes('axis', -1, rank);
  if (axes.includes(0)) {
    throw unsupported(`Layer "${name}" is a LayerNormalization over the batch. Build it with axes behind the batch.`);
  }
  const epsilon = settings.number('epsilon', 1e-3);
  const [hasScale, hasCentre] = [settings.boolean('scale', true), settings.boolean('center', true)];
  const isBlock = Math.min(...axes) === rank - axes.length;
  const isKnown = isKnownShape(axes.map((axis) => input.shape[axis] ?? null));
  if (isBlock && scope.builder.opset >= OPERATOR_SINCE && isKnown) {
    const sizes = parameterSizes(call, axes);
    const shape = input.shape.slice(rank - axes.length) as number[];
    const gamma = hasScale ? call.weight('gamma', sizes, { shape }) : scope.filled(shape, 1, 'gamma');
    const beta = hasCentre ? call.weight('beta', sizes, { shape }) : undefined;
    const attributes = { axis: int(rank - axes.length), epsilon: float(epsilon) };
    return scope.add('LayerNormalization', [input, gamma, beta], attributes);
  }
  const shape = input.shape.map((size, axis) => (axes.includes(axis) ? (size as number) : 1));
  const weight = (part: string) => call.weight(part, parameterSizes(call, axes), { shape });
  return scaled(
    scope,
    standardised(scope, input, axes, epsilon),
    hasScale ? weight('gamma') : undefined,
    hasCentre ? weight('beta') : undefined,
  );
};

/** Sizes along `axes`, in the order in which the file has them: so lie the elements of gamma and beta, however it is. */
export function parameterSizes(call: LayerCall, axes: readonly number[]): number[] {
  const { shape } = onlyInput(call);
  const sizes = axes.map((axis) => shape[axis] ?? null);
  if (isKnownShape(sizes)) return [...sizes];
  throw malformed(
    `Layer "${call.name}" (${call.className}) normalises axis ${axes.join(', ')} of ${shownShape(shape)}; expected known ` +
      'sizes there. Give the sizes of the input with --input-shape.',
  );
}
