import { activate, type ActivationName } from '../activations.ts';
import { malformed, unsupported } from '../errors.ts';
import { rankOf, type Value } from '../graph/value.ts';
import { type LayerCall, onlyInput, type Rule } from '../rule.ts';

/** An operator of ONNX on two operands, which both sides broadcast in the manner of numpy. */
export const binary =
  (operator: string): Rule =>
  ({ inputs, scope, name, className }) => {
    const [first, second, ...others] = inputs;
    if (first && second && others.length === 0) return scope.add(operator, [first, second]);
    throw malformed(`Layer "${name}" (${className}) takes ${inputs.length} operands; expected two.`);
  };

/** An operator of ONNX on one operand. */
export const unary =
  (operator: string): Rule =>
  (call) =>
    call.scope.add(operator, [onlyInput(call)]);

export const square: Rule = (call) => call.scope.add('Mul', [onlyInput(call), onlyInput(call)]);

/** An activation of this name. */
export const activationOperator =
  (name: ActivationName): Rule =>
  (call) =>
    activate(name, onlyInput(call), call.scope, call.dialect.isKeras3);

/** Over the axes that the file names, all where it names none. */
export const reduction =
  (operator: `Reduce${string}`): Rule =>
  (call) => {
    const input = onlyInput(call);
    const axes = axesOf(call, rankOf(input)) ?? Array.from({ length: rankOf(input) }, (_, axis) => axis);
    return call.scope.reduce(operator, input, axes, call.settings.boolean('keepdims', false));
  };

/** Whether any, or all, elements along the axes are other than 0: those that the file names, all where it names none. */
export const truthOf =
  (operator: 'ReduceMax' | 'ReduceMin'): Rule =>
  (call) => {
    const { scope } = call;
    const numbers = scope.cast(scope.cast(onlyInput(call), 'bool'), 'float32');
    return scope.cast(reduction(operator)({ ...call, inputs: [numbers] }) as Value, 'bool');
  };

/** And, Or: of what is other than 0. */
export const logical =
  (operator: string): Rule =>
  (call) =>
    binary(operator)({ ...call, inputs: call.inputs.map((input) => call.scope.cast(input, 'bool')) });

export const logicalNot: Rule = (call) => call.scope.add('Not', [call.scope.cast(onlyInput(call), 'bool')]);

export const notEqual: Rule = (call) => call.scope.add('Not', [binary('Equal')(call) as Value]);

export const expandDims: Rule = (call) => {
  const input = onlyInput(call);
  return call.scope.unsqueeze(input, axesOf(call, rankOf(input) + 1) ?? []);
};

/** The axes that the file names, or all of size 1. */
export const squeeze: Rule = (call) => {
  const input = onlyInput(call);
  const ones = input.shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
  const axes = axesOf(call, rankOf(input)) ?? ones;
  return axes.length === 0 ? input : call.scope.squeeze(input, axes);
};

/** Layers compute in float32: a cast to a kind of float is done already. */
export const castToFloat: Rule = (call) => {
  const { settings, name, className } = call;
  const dtype = settings.text('dtype', 'float32');
  if (/^b?float(16|32|64)$/.test(dtype)) return onlyInput(call);
  throw unsupported(
    `Layer "${name}" (${className}) casts to ${dtype}; supported: kinds of float. Build the model without it.`,
  );
};

/** `axis` counted from 0: a number or several; undefined where the file has none. */
function axesOf({ settings }: LayerCall, rank: number): number[] | undefined {
  return settings.get('axis') === undefined ? undefined : settings.axes('axis', 0, rank);
}
