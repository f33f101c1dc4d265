import { elementsOf, int, remainingSize } from '@atelier/onnx';
import { malformed } from '../errors.ts';
import { rankOf, shownShape } from '../graph/value.ts';
import { onlyInput, type Rule } from '../rule.ts';

export const flatten: Rule = (call) => {
  const { settings, scope } = call;
  const input = onlyInput(call);
  const rank = rankOf(input);
  if (rank === 2) return input;
  if (rank === 1) return scope.unsqueeze(input, [1]);
  // Channels first means that the file's layout differs from the one that Dense kernels were trained on.
  const isFirst =
    settings.choice('data_format', ['channels_first', 'channels_last'], 'channels_last') === 'channels_first';
  const source = isFirst && rank > 2 ? scope.channelsLast(input) : input;
  return scope.add('Flatten', [source], { axis: int(1) });
};

/** `target_shape` leaves the batch out; one size may be open. */
export const reshape: Rule = (call) => {
  const { name, settings, scope } = call;
  const input = onlyInput(call);
  const target = settings.sizes('target_shape');
  const open = target.indexOf(null);
  if (open !== target.lastIndexOf(null) || target.includes(0)) {
    throw malformed(
      `Layer "${name}" has target_shape ${shownShape(target)}; expected sizes of 1 and more, at most one of them open.`,
    );
  }
  const features = input.shape.slice(1);
  const known = target.filter((size) => size !== null);
  const missing = remainingSize(features, known);
  const isPossible = open < 0 ? missing === 1 : missing !== null;
  if (typeof elementsOf(features) === 'number' && !isPossible) {
    throw malformed(
      `Layer "${name}" reshapes ${shownShape(features)} to ${shownShape(target)}; expected as many elements.`,
    );
  }
  const sizes = target.map((size) => size ?? missing);
  if (!sizes.includes(null) && shownShape(sizes) === shownShape(features)) return input;
  // 0 keeps the batch as it comes.
  return scope.reshape(input, [0, ...sizes.map((size) => (typeof size === 'number' ? size : -1))]);
};

/** `dims` counts from 1: the batch, axis 0, stays. */
export const permute: Rule = (call) => {
  const { name, settings, scope } = call;
  const input = onlyInput(call);
  const axes = rankOf(input) - 1;
  const dims = settings.wholeNumbers('dims', axes, []);
  if (new Set(dims).size < axes || dims.some((axis) => axis > axes)) {
    throw malformed(`Layer "${name}" has dims ${JSON.stringify(dims)}; expected each of 1 to ${axes} once.`);
  }
  return scope.transpose(input, [0, ...dims]);
};

/** [batch, features] n times: [batch, n, features]. */
export const repeatVector: Rule = (call) => {
  const { name, settings, scope } = call;
  const input = onlyInput(call);
  if (rankOf(input) !== 2) {
    throw malformed(`Layer "${name}" (RepeatVector) takes ${shownShape(input.shape)}; expected [batch, features].`);
  }
  const row = scope.unsqueeze(input, [1], 'row');
  const count = settings.wholeNumber('n');
  return count === 1 ? row : scope.add('Expand', [row, scope.ints([1, count, 1], 'shape')], {}, 'repeated');
};
