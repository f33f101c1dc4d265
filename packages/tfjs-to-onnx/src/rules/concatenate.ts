import { malformed } from '../errors.ts';
import { rankOf, shownShape, type Value } from '../graph/value.ts';
import { type LayerCall, type MaskRule, type Rule, unlessIgnored } from '../rule.ts';
import { combined, distinct, ofOneType, wrongCount } from './merge.ts';

export const concatenate: Rule = (call) => {
  const inputs = ofOneType(call);
  const [first] = inputs;
  if (!first) throw wrongCount(call, 'two or more');
  const axis = axisOf(call);
  requireFitting(call, axis);
  return inputs.length === 1 ? first : call.scope.concat(inputs, axis, 'concatenated');
};

/**
 * The masks along the axis of time, one after the other. Along any later axis a step counts where all masks do, in Keras 3
 * where one does; an input without a mask counts everywhere.
 */
export const concatenatedMask: MaskRule = (call) => {
  const { masks, inputs, scope, dialect } = call;
  const present = distinct(masks);
  if (present.length === 0) return undefined;
  const axis = axisOf(call);
  if (axis > 1) {
    const isEverywhere = dialect.isKeras3 && inputs.some((_, index) => masks[index] === undefined);
    return isEverywhere ? undefined : combined(present, dialect.isKeras3 ? 'Or' : 'And', scope);
  }
  if (inputs.length === 1) return present[0];
  return scope.concat(
    inputs.map((input, index) => masks[index] ?? allSteps(call, input)),
    axis,
    'mask',
  );
};

/** A mask of an input that has none. */
function allSteps({ scope }: LayerCall, input: Value): Value {
  const whole = scope.shapeOf(input);
  const sizes = scope.slice(whole, 0, 0, 2, 1, 'mask_shape');
  return scope.add('Expand', [scope.bool(true, 'counts'), sizes], {}, 'all_steps');
}

/**
 * TensorFlow.js takes any negative axis for the last one. Where the sizes do not fit then, it throws, and the axis is what
 * the file says.
 */
function axisOf(call: LayerCall): number {
  const { settings, inputs } = call;
  const [first] = inputs;
  const rank = first ? rankOf(first) : 0;
  const axis = settings.axis('axis', -1, rank);
  const written = settings.get('axis') ?? -1;
  if (axis === undefined) {
    throw malformed(`Layer "${call.name}" has axis ${JSON.stringify(written)}; expected one axis.`);
  }
  const isMisread = typeof written === 'number' && written < -1 && fits(inputs, rank - 1);
  return isMisread && unlessIgnored(call, 'axis', written, -1) === -1 ? rank - 1 : axis;
}

function fits(inputs: readonly Value[], axis: number): boolean {
  const [first] = inputs;
  return inputs.every(
    ({ shape }) =>
      shape.length === first?.shape.length &&
      shape.every((size, each) => {
        const other = first.shape[each];
        return each === axis || typeof size !== 'number' || typeof other !== 'number' || size === other;
      }),
  );
}

function requireFitting({ name, className, inputs }: LayerCall, axis: number): void {
  if (fits(inputs, axis)) return;
  const shapes = inputs.map(({ shape }) => shownShape(shape)).join(' and ');
  throw malformed(
    `Layer "${name}" (${className}) takes ${shapes}; expected one rank, and sizes that are equal but along axis ${axis}.`,
  );
}
