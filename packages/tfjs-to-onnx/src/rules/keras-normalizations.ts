import { malformed } from '../errors.ts';
import { rankOf, shownShape } from '../graph/value.ts';
import { type LayerCall, onlyInput, type Rule } from '../rule.ts';
import { broadcastNumbers } from './number-lists.ts';
import { parameterSizes } from './layer-normalization.ts';
import { ofUnitLength, scaled, standardised } from './standardise.ts';

/** What a deviation is at least, and the root of what Keras 3 takes a sum of squares for (`keras.config.epsilon()`). */
const EPSILON = 1e-7;

/** (x - mean) / √variance with statistics of the training data, which are weights or, where they were given, settings. */
export const normalization: Rule = (call) => {
  const { scope, settings } = call;
  const input = onlyInput(call);
  const written = settings.get('axis');
  const isScalar = Array.isArray(written) && written.length === 0;
  const axes = isScalar ? [] : settings.axes('axis', -1, rankOf(input)).sort((a, b) => a - b);
  const sizes = parameterSizes(call, axes);
  const shape = axes.length === 0 ? [] : input.shape.map((_, axis) => sizes[axes.indexOf(axis)] ?? 1);
  if (call.hasWeight('count')) call.weightValues('count', []);
  const given = (part: string) => broadcastNumbers(call, part, sizes);
  const mean = scope.floats(shape, given('mean') ?? call.weightValues('mean', sizes), 'mean');
  const variance = given('variance') ?? call.weightValues('variance', sizes);
  const deviations = variance.map((each) => Math.max(Math.sqrt(each), EPSILON));
  const deviation = scope.floats(shape, deviations, 'deviation');
  if (settings.boolean('invert', false)) {
    return scaled(scope, input, deviation, mean);
  }
  return scope.add('Div', [scope.add('Sub', [input, mean], {}, 'centred'), deviation]);
};

/** Groups of channels, each by its own mean and variance over all else but the batch. */
export const groupNormalization: Rule = (call) => {
  const { scope, settings, name } = call;
  const input = onlyInput(call);
  const rank = rankOf(input);
  const axis = settings.axis('axis', -1, rank);
  const channels = axis === undefined ? undefined : input.shape[axis];
  if (axis === undefined || axis === 0 || typeof channels !== 'number') {
    throw malformed(
      `Layer "${name}" (GroupNormalization) takes ${shownShape(input.shape)}; expected one axis behind the batch, of a known size.`,
    );
  }
  const written = settings.wholeNumber('groups', 32, -1);
  const groups = written === -1 ? channels : written;
  if (groups < 1 || channels % groups !== 0) {
    throw malformed(`Layer "${name}" has ${written} groups of ${channels} channels; expected groups of one size.`);
  }
  const others = [...input.shape.keys()].filter((each) => each !== axis);
  const there = [...others, axis];
  const last = scope.transpose(input, there, 'channels_last');
  const kept = others.map(() => 0);
  const grouped = scope.reshape(last, [...kept, groups, channels / groups], 'grouped');
  const axes = [...others.keys()].slice(1).concat(rank);
  const result = standardised(scope, grouped, axes, settings.number('epsilon', 1e-3));
  const ungrouped = scope.reshape(result, [...kept, channels], 'ungrouped');
  const gamma = settings.boolean('scale', true) ? call.weight('gamma', [channels]) : undefined;
  const beta = settings.boolean('center', true) ? call.weight('beta', [channels]) : undefined;
  const back = there.map((_, place) => there.indexOf(place));
  return scope.transpose(scaled(scope, ungrouped, gamma, beta), back, 'transposed_back');
};

/** x divided by its length. */
export const unitNormalization: Rule = (call) => {
  const { scope, settings, dialect } = call;
  const input = onlyInput(call);
  const axes = settings.axes('axis', -1, rankOf(input));
  return ofUnitLength(scope, input, axes, dialect.isKeras3 ? 1e-24 : 1e-12);
};

/** x divided by the root of its mean square, arXiv 1910.07467. */
export const rmsNormalization: Rule = (call) => {
  const { scope, settings } = call;
  const input = onlyInput(call);
  const axes = settings.axes('axis', -1, rankOf(input));
  const squares = scope.add('Mul', [input, input], {}, 'squares');
  const meanSquare = scope.reduce('ReduceMean', squares, axes, true, 'mean_square');
  const epsilon = scope.float(settings.number('epsilon', 1e-6), 'epsilon');
  const root = scope.add('Sqrt', [scope.add('Add', [meanSquare, epsilon], {}, 'bounded')], {}, 'root');
  return scaled(scope, scope.add('Div', [input, root], {}, 'normalised'), scaleOf(call, axes), undefined);
};

/** The scale broadcasts from the right, as Keras writes it. */
function scaleOf(call: LayerCall, axes: readonly number[]) {
  return call.weight('scale', parameterSizes(call, axes));
}
