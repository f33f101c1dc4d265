import { int } from '@atelier/onnx';
import { malformed, unsupported } from '../errors.ts';
import { lastSize, rankOf, shownShape, type Value } from '../graph/value.ts';
import { type LayerCall, onlyInput, type Rule, unlessIgnored } from '../rule.ts';
import { numbersOf } from './number-lists.ts';

/** x·scale + offset; numbers, or lists that go with the last axes. */
export const rescaling: Rule = (call) => {
  const { scope } = call;
  const input = onlyInput(call);
  const scale = constantOf(call, 'scale', 1);
  const offset = constantOf(call, 'offset', 0);
  const scaled = scale ? scope.add('Mul', [input, scale], {}, 'scaled') : input;
  return offset ? scope.add('Add', [scaled, offset]) : scaled;
};

/** The setting as a constant; undefined where it is `neutral`, which offset is by default. */
function constantOf(call: LayerCall, key: string, neutral: number): Value | undefined {
  const list = numbersOf(call, key) ?? (key === 'offset' ? { shape: [], values: [neutral] } : undefined);
  if (!list) throw malformed(`Layer "${call.name}" (${call.className}) has no ${key}; expected a number or a list.`);
  if (list.values.every((value) => value === neutral)) return undefined;
  const input = onlyInput(call);
  const missing = rankOf(input) - list.shape.length;
  const fits = list.shape.every((size, axis) => {
    const other = input.shape[axis + missing];
    return size === 1 || typeof other !== 'number' || size === other;
  });
  if (missing < 0 || !fits) {
    throw malformed(
      `Layer "${call.name}" (${call.className}) has ${key} of shape [${list.shape.join(', ')}] for ` +
        `${shownShape(input.shape)}; expected a number, or sizes of the last axes.`,
    );
  }
  return call.scope.floats(list.shape, list.values, key);
}

/**
 * Whole numbers below `num_tokens` as a row for each (`one_hot`), as a row that says which there are (`multi_hot`), or how
 * often (`count`), where each may have a weight: the second input. What is no such number TensorFlow.js refuses to encode;
 * here it counts for nothing.
 */
export const categoryEncoding: Rule = (call) => {
  const { scope, settings, name } = call;
  const mode = settings.choice('output_mode', ['multi_hot', 'one_hot', 'count', 'int'], 'multi_hot');
  const [tokens, weights, ...others] = call.inputs;
  if (!tokens || others.length > 0) {
    throw malformed(
      `Layer "${name}" (CategoryEncoding) takes ${call.inputs.length} inputs; expected tokens, and weights.`,
    );
  }
  if (mode === 'int') return scope.cast(tokens, 'int32');
  const indices = scope.cast(tokens.type === 'int64' ? tokens : scope.cast(tokens, 'int64'), 'int64');
  const rank = rankOf(tokens);
  const isSingle = lastSize(tokens) === 1 && rank > 1;
  if (mode === 'one_hot') return oneHot(call, isSingle ? scope.squeeze(indices, [rank - 1]) : indices);
  if (rank < 2) {
    throw unsupported(
      `Layer "${name}" (CategoryEncoding) takes ${shownShape(tokens.shape)}, and would encode the batch as one. ` +
        'Give it an axis of tokens, or use one_hot.',
    );
  }
  const rows = oneHot(call, indices);
  if (mode === 'multi_hot') return scope.reduce('ReduceMax', rows, [rank - 1], false, 'multi_hot');
  const weighted = weights && unlessIgnored(call, 'count_weights', 'in a call', undefined) ? weights : undefined;
  if (!weighted) return scope.reduce('ReduceSum', rows, [rank - 1], false, 'count');
  const column = scope.unsqueeze(scope.cast(weighted, 'float32'), [rank], 'weights');
  return scope.reduce('ReduceSum', scope.add('Mul', [rows, column], {}, 'weighted'), [rank - 1], false, 'count');
};

function oneHot({ scope, settings }: LayerCall, indices: Value): Value {
  const depth = scope.ints([settings.wholeNumber('num_tokens')], 'num_tokens');
  return scope.add('OneHot', [indices, depth, scope.floats([2], [0, 1], 'off_and_on')], { axis: int(-1) }, 'one_hot');
}

/** TensorFlow.js resizes at random in `predict` too; Keras leaves the width alone. */
export const randomWidth: Rule = (call) => {
  if (call.dialect.semantics === 'tfjs') {
    call.warn(
      'TensorFlow.js gives the image a random width even in predict; the ONNX model leaves it as it is, as Keras does.',
    );
  }
  return onlyInput(call);
};

/** At inference Keras cuts out and resizes the middle: nothing where the image has the size already. */
export const randomCrop: Rule = (call) => {
  const { settings, name } = call;
  const input = onlyInput(call);
  const isFirst =
    settings.choice('data_format', ['channels_last', 'channels_first'], 'channels_last') === 'channels_first';
  const [height, width] = isFirst ? input.shape.slice(-2) : input.shape.slice(-3, -1);
  if (height === settings.wholeNumber('height') && width === settings.wholeNumber('width')) return input;
  throw unsupported(
    `Layer "${name}" is a RandomCrop of ${shownShape(input.shape)}, which at inference cuts out and resizes the middle. ` +
      'Use CenterCrop or Resizing, or give it images of its own size.',
  );
};
