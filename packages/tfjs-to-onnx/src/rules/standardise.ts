import type { Scope } from '../graph/scope.ts';
import type { Value } from '../graph/value.ts';

/** (x - mean) / √(variance + epsilon), where mean and variance are those of x over `axes`. */
export function standardised(scope: Scope, x: Value, axes: readonly number[], epsilon: number): Value {
  const mean = scope.reduce('ReduceMean', x, axes, true, 'mean');
  const centred = scope.add('Sub', [x, mean], {}, 'centred');
  const squares = scope.add('Mul', [centred, centred], {}, 'squares');
  const variance = scope.reduce('ReduceMean', squares, axes, true, 'variance');
  const bounded = scope.add('Add', [variance, scope.float(epsilon, 'epsilon')], {}, 'bounded');
  return scope.add('Div', [centred, scope.add('Sqrt', [bounded], {}, 'deviation')], {}, 'standardised');
}

/** x · factor + offset, as far as there are such. */
export function scaled(scope: Scope, x: Value, factor: Value | undefined, offset: Value | undefined): Value {
  const product = factor ? scope.add('Mul', [x, factor], {}, 'scaled') : x;
  return offset ? scope.add('Add', [product, offset], {}, 'shifted') : product;
}

/** x divided by √(sum of squares over `axes`), which counts as `leastSquare` at least. */
export function ofUnitLength(scope: Scope, x: Value, axes: readonly number[], leastSquare: number, name = 'x'): Value {
  const squares = scope.reduce('ReduceSumSquare', x, axes, true, `${name}_square`);
  const least = scope.float(leastSquare, 'least_square');
  const length = scope.add('Sqrt', [scope.add('Max', [squares, least], {}, `${name}_bounded`)], {}, `${name}_length`);
  return scope.add('Div', [x, length], {}, `${name}_normalised`);
}
