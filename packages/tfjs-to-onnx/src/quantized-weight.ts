import type { GraphBuilder } from './graph/graph-builder.ts';
import { Scope } from './graph/scope.ts';
import type { Value } from './graph/value.ts';
import { rearranged } from './rearrange.ts';
import type { WeightLayout } from './rule.ts';
import type { StoredWeight } from './weights.ts';

/**
 * A weight that stays in the file as it was quantised, of `shape` before `layout`: Cast for float16, and Mul and Add after it
 * for uint8 and uint16. Not DequantizeLinear: its zero point is a whole number, and `-min / scale` need not be one.
 */
export function quantizedWeight(
  builder: GraphBuilder,
  { name, dtype, scale, min, data }: StoredWeight,
  shape: readonly number[],
  layout: WeightLayout,
): Value {
  const known = builder.constant(`${name}/quantized`) && builder.known(dtype === 'float16' ? `${name}/float32` : name);
  if (known) return known;
  const scope = new Scope(builder, name);
  const stored = { name: `${name}/quantized`, type: dtype, shape, data };
  const quantized = builder.initializer(rearranged(stored, layout));
  if (dtype === 'float16') return scope.cast(quantized, 'float32');
  const scaled = scope.add('Mul', [scope.cast(quantized, 'float32'), scope.float(scale, 'scale')], {}, 'scaled');
  const [weight] = builder.add('Add', [scaled, scope.float(min, 'minimum')], [name], {});
  return weight ?? scaled;
}
