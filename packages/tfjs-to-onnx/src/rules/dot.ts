import { string } from '@atelier/onnx';
import { malformed } from '../errors.ts';
import { rankOf, shownShape, type Value } from '../graph/value.ts';
import type { LayerCall, Rule } from '../rule.ts';
import { wrongCount } from './merge.ts';
import { ofUnitLength } from './standardise.ts';

/** What the square of a length is at least, so that nothing is divided by zero. */
const LEAST_SQUARE = { tfjs: 1e-7, keras2: 1e-12, keras3: 1e-14 } as const;

/**
 * Products of two inputs, summed along one axis of each, for each element of the batch. The other axes of the first come
 * before those of the second: [batch, i, k] and [batch, k, j] over axes 2 and 1 are [batch, i, j]. Of two matrices the result
 * is [batch, 1].
 */
export const dot: Rule = (call) => {
  const { inputs, settings, scope, dialect } = call;
  const [first, second, ...others] = inputs;
  if (!first || !second || others.length > 0) throw wrongCount(call, 'two');
  const axes = axesOf(call, first, second);
  const isNormalised = settings.boolean('normalize', false);
  const version = dialect.isKeras3 ? 'keras3' : 'keras2';
  const least = LEAST_SQUARE[dialect.semantics === 'tfjs' ? 'tfjs' : version];
  const x = isNormalised ? ofUnitLength(scope, first, [axes[0]], least, 'first') : first;
  const y = isNormalised ? ofUnitLength(scope, second, [axes[1]], least, 'second') : second;
  if (rankOf(x) === 2 && rankOf(y) === 2) {
    return scope.reduce('ReduceSum', scope.add('Mul', [x, y], {}, 'products'), [1], true, 'dot');
  }
  if (Math.max(rankOf(x), rankOf(y)) > 3) return byEinsum(call, x, y, axes);
  const rows = rankOf(x) === 2 ? scope.unsqueeze(x, [1], 'row') : turned(call, x, axes[0] !== 2, 'rows');
  const columns = rankOf(y) === 2 ? scope.unsqueeze(y, [2], 'column') : turned(call, y, axes[1] !== 1, 'columns');
  const product = scope.add('MatMul', [rows, columns], {}, 'dot');
  const dropped = [...(rankOf(x) === 2 ? [1] : []), ...(rankOf(y) === 2 ? [2] : [])];
  return dropped.length > 0 ? scope.squeeze(product, dropped) : product;
};

function turned({ scope }: LayerCall, source: Value, isTurned: boolean, name: string): Value {
  return isTurned ? scope.transpose(source, [0, 2, 1], name) : source;
}

/** Keras sums ranks above 3 too; TensorFlow.js does not. */
function byEinsum({ scope }: LayerCall, x: Value, y: Value, axes: readonly [number, number]): Value {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const [batch = '', sum = ''] = letters.splice(0, 2);
  const named = (source: Value, axis: number) =>
    source.shape.map((_, each) => (each === 0 ? batch : each === axis ? sum : (letters.shift() ?? '')));
  const [left, right] = [named(x, axes[0]), named(y, axes[1])];
  const kept = [...left, ...right.slice(1)].filter((letter) => letter !== sum);
  const equation = `${left.join('')},${right.join('')}->${kept.join('')}`;
  return scope.add('Einsum', [x, y], { equation: string(equation) }, 'dot');
}

/** The axis of each input that is summed, from 0: one number for both, or one for each. */
function axesOf({ name, settings }: LayerCall, ...inputs: readonly [Value, Value]): [number, number] {
  const written = settings.get('axes');
  const axes = Array.isArray(written) ? (written as unknown[]) : [written, written];
  const counted = inputs.map((input, index) => {
    const axis = axes[index];
    if (axes.length !== 2 || !Number.isInteger(axis)) return NaN;
    return (axis as number) < 0 ? (axis as number) + rankOf(input) : (axis as number);
  });
  const [first = NaN, second = NaN] = counted;
  const sizes = [inputs[0].shape[first], inputs[1].shape[second]];
  const isOpen = sizes.some((size) => size === null || typeof size === 'string');
  const fits = sizes[0] !== undefined && sizes[1] !== undefined && (isOpen || sizes[0] === sizes[1]);
  if (first > 0 && second > 0 && fits) return [first, second];
  throw malformed(
    `Layer "${name}" (Dot) sums ${shownShape(inputs[0].shape)} and ${shownShape(inputs[1].shape)} along axes ` +
      `${JSON.stringify(written ?? null)}; expected axes of one size behind the batch.`,
  );
}
