import { float32Scalar, type OnnxTensor, tensor } from '@atelier/onnx';
import type { Value } from '../graph/value.ts';
import { type LayerCall, type MaskRule, onlyInput, type Rule } from '../rule.ts';

/** A step whose features all equal `mask_value` does not count, and comes out as zeros. */
export const masking: Rule = (call) => {
  const input = onlyInput(call);
  return call.scope.add('Mul', [input, call.scope.cast(counts(call), input.type)], {}, 'masked');
};

/** Bool, without the features. */
export const maskingMask: MaskRule = (call) => {
  const { scope } = call;
  return scope.cast(scope.squeeze(counts(call), [-1], 'counted'), 'bool');
};

/** 1 where a step counts and 0 where not, float32 [..., 1]; made once for both rules. */
function counts(call: LayerCall): Value {
  const { scope, settings } = call;
  const input = scope.cast(onlyInput(call), 'float32');
  const known = scope.builder.known(`${scope.prefix}/counts`);
  if (known) return known;
  const value = scope.float(settings.number('mask_value', 0), 'mask_value');
  const differs = scope.add('Not', [scope.add('Equal', [input, value], {}, 'is_mask_value')], {}, 'differs');
  return scope.reduce('ReduceMax', scope.cast(differs, 'float32'), [-1], true, 'counts');
}

/** With `mask_zero`, what is not 0 counts, before fractions are cut off. */
export const embeddingMask: MaskRule = (call) =>
  call.settings.boolean('mask_zero', false) ? isNot(call, onlyInput(call), 0) : undefined;

function isNot({ scope }: LayerCall, input: Value, number: number): Value {
  const isInteger = input.type === 'int32';
  const source = isInteger ? input : scope.cast(input, 'float32');
  const make = (name: string): OnnxTensor =>
    isInteger ? tensor(name, 'int32', [], [number]) : float32Scalar(name, number);
  return scope.add(
    'Not',
    [scope.add('Equal', [source, scope.constant(make, 'padding')], {}, 'is_padding')],
    {},
    'counts',
  );
}
