import { int } from '@atelier/onnx';
import type { Scope } from '../../graph/scope.ts';
import { rankOf, type Value } from '../../graph/value.ts';

/** What becomes of what the two directions give. */
export type MergeMode = 'concat' | 'sum' | 'mul' | 'ave';

/** Along the last axis, or element by element. */
export function merged(scope: Scope, mode: MergeMode, y: Value, yBack: Value): Value {
  switch (mode) {
    case 'concat':
      return scope.concat([y, yBack], rankOf(y) - 1, 'both');
    case 'sum':
      return scope.add('Add', [y, yBack], {}, 'sum');
    case 'mul':
      return scope.add('Mul', [y, yBack], {}, 'product');
    case 'ave':
      return scope.add('Mul', [scope.add('Add', [y, yBack], {}, 'sum'), scope.float(0.5, 'half')], {}, 'average');
  }
}

const REDUCTIONS = { sum: 'ReduceSum', mul: 'ReduceProd', ave: 'ReduceMean' } as const;

/**
 * What an operator gives of both directions, [time, directions, batch, units] or [directions, batch, units], merged:
 * [batch, time, ...] or [batch, ...].
 */
export function mergedAxis(scope: Scope, mode: MergeMode | 'none', both: Value, units: number): readonly Value[] {
  const axis = rankOf(both) - 3;
  const toBatchMajor = (value: Value) => (axis === 1 ? scope.transpose(value, [1, 0, 2], 'batch_major') : value);
  if (mode === 'none') return parted(scope, both, axis).map(toBatchMajor);
  if (mode !== 'concat') return [toBatchMajor(scope.reduce(REDUCTIONS[mode], both, [axis], false, mode))];
  const beside = scope.transpose(both, axis === 1 ? [2, 0, 1, 3] : [1, 0, 2], 'beside_each_other');
  return [scope.reshape(beside, axis === 1 ? [0, 0, 2 * units] : [0, 2 * units], 'both')];
}

/** The two directions, each by itself. */
export function parted(scope: Scope, both: Value, axis: number): [Value, Value] {
  const parts = scope.addMany('Split', [both, scope.ints([1, 1], 'sizes')], ['there', 'back'], { axis: int(axis) });
  return [scope.squeeze(parts[0], [axis], 'forward'), scope.squeeze(parts[1], [axis], 'backward')];
}
