import type { Scope } from '../../graph/scope.ts';
import type { Value } from '../../graph/value.ts';

/** Zeros [batch, ...sizes], with the batch of `like`. */
export function zeroState(scope: Scope, like: Value, sizes: readonly number[]): Value {
  const batch = like.shape[0];
  if (typeof batch === 'number') return scope.filled([batch, ...sizes], 0, 'zeros');
  const batchSize = scope.slice(scope.shapeOf(like), 0, 0, 1, 1, 'batch_size');
  const shape = scope.concat([batchSize, scope.ints(sizes, 'state_sizes')], 0, 'state_shape');
  return scope.add('ConstantOfShape', [shape], {}, 'zeros');
}
