import { int } from '@atelier/onnx';
import { malformed } from '../errors.ts';
import { rankOf, shownShape, type Value } from '../graph/value.ts';
import { type LayerCall, onlyInput, type Rule } from '../rule.ts';

/** What is added where a mask says that an element does not count. */
const FAR_BELOW = -1e9;

/** Over one axis or several together. TensorFlow.js's own default axis is 1, unlike the activation's -1 and unlike Keras. */
export const softmax: Rule = (call) => {
  const { settings, scope, dialect } = call;
  const input = masked(call, onlyInput(call));
  const fallback = dialect.semantics === 'tfjs' ? 1 : -1;
  const axes = settings.axes('axis', fallback, rankOf(input));
  const [axis = fallback] = axes;
  if (axes.length < 2) return scope.add('Softmax', [input], { axis: int(axis) });
  const logOfSum = scope.reduce('ReduceLogSumExp', input, axes, true, 'log_of_sum');
  return scope.add('Exp', [scope.add('Sub', [input, logOfSum], {}, 'logarithm')], {}, 'softmax');
};

/** A mask has the shape of the input, or one that broadcasts to it from the right. */
function masked({ name, masks: [mask], scope }: LayerCall, input: Value): Value {
  if (!mask) return input;
  const missing = rankOf(input) - rankOf(mask);
  const fits = mask.shape.every((size, axis) => {
    const other = input.shape[axis + missing];
    return size === 1 || typeof size !== 'number' || typeof other !== 'number' || size === other;
  });
  if (missing < 0 || !fits) {
    throw malformed(
      `Layer "${name}" (Softmax) takes ${shownShape(input.shape)} with a mask of ${shownShape(mask.shape)}; expected a ` +
        'mask of the same sizes, or of the last ones.',
    );
  }
  const isOff = scope.cast(scope.add('Not', [mask], {}, 'is_off'), 'float32');
  const far = scope.add('Mul', [isOff, scope.float(FAR_BELOW, 'far_below')], {}, 'below');
  return scope.add('Add', [input, far], {}, 'masked');
}
