import { malformed } from '../errors.ts';
import { rankOf, type Value } from '../graph/value.ts';
import { type LayerCall, type LayerRule, onlyInput, type Rule } from '../rule.ts';
import type { OperationClass } from '../topology/operations.ts';

/** Operations on two values that broadcast as ONNX does, from the right: unlike the layers of the same names. */
const binary =
  (operator: string, negated = false): Rule =>
  (call) => {
    const [first, second, ...others] = call.inputs;
    if (!first || !second || others.length > 0) {
      throw malformed(`Operation "${call.name}" takes ${call.inputs.length} values; expected two.`);
    }
    const result = call.scope.add(operator, [first, second]);
    return negated ? call.scope.add('Not', [result]) : result;
  };

const unary =
  (operator: string): Rule =>
  (call) =>
    call.scope.add(operator, [onlyInput(call)]);

/** Whether any, or all, elements along the axes are other than 0. */
const reduction =
  (operator: 'ReduceMax' | 'ReduceMin'): Rule =>
  (call) => {
    const { settings, scope } = call;
    const input = truth(call, onlyInput(call));
    const rank = rankOf(input);
    const axes = settings.get('axis') === undefined ? [...input.shape.keys()] : settings.axes('axis', -1, rank);
    const numbers = scope.cast(input, 'float32');
    return scope.cast(scope.reduce(operator, numbers, axes, settings.boolean('keepdims', false)), 'bool');
  };

const logical =
  (operator: string): Rule =>
  (call) =>
    binary(operator)({ ...call, inputs: call.inputs.map((input) => truth(call, input)) });

function truth({ scope }: LayerCall, source: Value): Value {
  return scope.cast(source, 'bool');
}

const row = (convert: Rule, onnx: string) => ({ convert, onnx, isBeyondTfjs: true }) as const;
const ofTruth = (convert: Rule, onnx: string) => ({ ...row(convert, onnx), takesAnyType: true }) as const;

/** Operations of Keras 3 that stand among the layers of a model: those of masks, and arithmetic. */
export const OPERATION_RULES = {
  'keras.ops.Absolute': row(unary('Abs'), 'Abs'),
  'keras.ops.Add': row(binary('Add'), 'Add'),
  'keras.ops.All': ofTruth(reduction('ReduceMin'), 'Cast, ReduceMin, Cast'),
  'keras.ops.Any': ofTruth(reduction('ReduceMax'), 'Cast, ReduceMax, Cast'),
  'keras.ops.Divide': row(binary('Div'), 'Div'),
  'keras.ops.Equal': row(binary('Equal'), 'Equal'),
  'keras.ops.Exp': row(unary('Exp'), 'Exp'),
  'keras.ops.Greater': row(binary('Greater'), 'Greater'),
  'keras.ops.GreaterEqual': row(binary('GreaterOrEqual'), 'GreaterOrEqual'),
  'keras.ops.Less': row(binary('Less'), 'Less'),
  'keras.ops.LessEqual': row(binary('LessOrEqual'), 'LessOrEqual'),
  'keras.ops.Log': row(unary('Log'), 'Log'),
  'keras.ops.LogicalAnd': ofTruth(logical('And'), 'And'),
  'keras.ops.LogicalNot': ofTruth((call) => call.scope.add('Not', [truth(call, onlyInput(call))]), 'Not'),
  'keras.ops.LogicalOr': ofTruth(logical('Or'), 'Or'),
  'keras.ops.Maximum': row(binary('Max'), 'Max'),
  'keras.ops.Minimum': row(binary('Min'), 'Min'),
  'keras.ops.Multiply': row(binary('Mul'), 'Mul'),
  'keras.ops.Negative': row(unary('Neg'), 'Neg'),
  'keras.ops.NotEqual': row(binary('Equal', true), 'Equal, Not'),
  'keras.ops.Power': row(binary('Pow'), 'Pow'),
  'keras.ops.Sqrt': row(unary('Sqrt'), 'Sqrt'),
  'keras.ops.Subtract': row(binary('Sub'), 'Sub'),
  'keras.ops.TrueDivide': row(binary('Div'), 'Div'),
} as const satisfies Record<OperationClass, LayerRule>;
