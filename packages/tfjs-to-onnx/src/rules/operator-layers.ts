import { unsupported } from '../errors.ts';
import type { LayerRule, Rule } from '../rule.ts';
import type { OperationClass } from '../topology/operations.ts';
import {
  activationOperator,
  binary,
  castToFloat,
  expandDims,
  logical,
  logicalNot,
  notEqual,
  reduction,
  square,
  squeeze,
  truthOf,
  unary,
} from './operators.ts';

/** Functions of TensorFlow that Keras 2 writes as layers, by the name in the file. */
const FUNCTIONS: Readonly<Record<string, Rule>> = {
  '__operators__.add': binary('Add'),
  '__operators__.mul': binary('Mul'),
  '__operators__.sub': binary('Sub'),
  '__operators__.truediv': binary('Div'),
  cast: castToFloat,
  expand_dims: expandDims,
  'math.abs': unary('Abs'),
  'math.add': binary('Add'),
  'math.divide': binary('Div'),
  'math.exp': unary('Exp'),
  'math.log': unary('Log'),
  'math.maximum': binary('Max'),
  'math.minimum': binary('Min'),
  'math.multiply': binary('Mul'),
  'math.negative': unary('Neg'),
  'math.pow': binary('Pow'),
  'math.reduce_max': reduction('ReduceMax'),
  'math.reduce_mean': reduction('ReduceMean'),
  'math.reduce_min': reduction('ReduceMin'),
  'math.reduce_sum': reduction('ReduceSum'),
  'math.sigmoid': unary('Sigmoid'),
  'math.sqrt': unary('Sqrt'),
  'math.square': square,
  'math.subtract': binary('Sub'),
  'math.tanh': unary('Tanh'),
  'math.truediv': binary('Div'),
  'nn.relu': unary('Relu'),
  'nn.relu6': activationOperator('relu6'),
  'nn.sigmoid': unary('Sigmoid'),
  'nn.silu': activationOperator('silu'),
  'nn.swish': activationOperator('silu'),
  'nn.tanh': unary('Tanh'),
  squeeze,
};

const tensorFlowFunction: Rule = (call) => {
  const name = call.settings.text('function');
  // Older functions are also known below compat.v1.
  const known = [name, name.replace(/^compat\.v1\./, '')].find((each) => Object.hasOwn(FUNCTIONS, each));
  const rule = known === undefined ? undefined : FUNCTIONS[known];
  if (rule) return rule(call);
  throw unsupported(
    `Layer "${call.name}" (TFOpLambda) calls tf.${name}; supported: ${Object.keys(FUNCTIONS).join(', ')}. ` +
      'Build the model with layers in its place.',
  );
};

const beyond = <Row extends Omit<LayerRule, 'isBeyondTfjs'>>(row: Row) => ({ ...row, isBeyondTfjs: true }) as const;
const binaryLayer = (onnx: string) => beyond({ convert: binary(onnx), onnx });
const unaryLayer = (onnx: string) => beyond({ convert: unary(onnx), onnx });
const reductionLayer = (onnx: `Reduce${string}`) => beyond({ convert: reduction(onnx), onnx });

/** Arithmetic between layers: functions of TensorFlow in Keras 2, operations in Keras 3, which broadcast as ONNX does. */
export const OPERATOR_RULES = {
  TFOpLambda: beyond({
    convert: tensorFlowFunction,
    onnx: 'the operator of its function: arithmetic, reductions, expand_dims, squeeze, relu, sigmoid, tanh and the like',
  }),
  'keras.ops.Absolute': unaryLayer('Abs'),
  'keras.ops.Add': binaryLayer('Add'),
  'keras.ops.All': beyond({ convert: truthOf('ReduceMin'), takesAnyType: true, onnx: 'Cast, ReduceMin, Cast' }),
  'keras.ops.Any': beyond({ convert: truthOf('ReduceMax'), takesAnyType: true, onnx: 'Cast, ReduceMax, Cast' }),
  'keras.ops.Cast': beyond({ convert: castToFloat, onnx: 'nothing, or Cast, to kinds of float' }),
  'keras.ops.Divide': binaryLayer('Div'),
  'keras.ops.Equal': binaryLayer('Equal'),
  'keras.ops.Exp': unaryLayer('Exp'),
  'keras.ops.ExpandDims': beyond({ convert: expandDims, takesAnyType: true, onnx: 'Unsqueeze' }),
  'keras.ops.Greater': binaryLayer('Greater'),
  'keras.ops.GreaterEqual': binaryLayer('GreaterOrEqual'),
  'keras.ops.Less': binaryLayer('Less'),
  'keras.ops.LessEqual': binaryLayer('LessOrEqual'),
  'keras.ops.Log': unaryLayer('Log'),
  'keras.ops.LogicalAnd': beyond({ convert: logical('And'), takesAnyType: true, onnx: 'And' }),
  'keras.ops.LogicalNot': beyond({ convert: logicalNot, takesAnyType: true, onnx: 'Not' }),
  'keras.ops.LogicalOr': beyond({ convert: logical('Or'), takesAnyType: true, onnx: 'Or' }),
  'keras.ops.Max': reductionLayer('ReduceMax'),
  'keras.ops.Maximum': binaryLayer('Max'),
  'keras.ops.Mean': reductionLayer('ReduceMean'),
  'keras.ops.Min': reductionLayer('ReduceMin'),
  'keras.ops.Minimum': binaryLayer('Min'),
  'keras.ops.Multiply': binaryLayer('Mul'),
  'keras.ops.Negative': unaryLayer('Neg'),
  'keras.ops.NotEqual': beyond({ convert: notEqual, onnx: 'Equal, Not' }),
  'keras.ops.Power': binaryLayer('Pow'),
  'keras.ops.Relu': unaryLayer('Relu'),
  'keras.ops.Relu6': beyond({ convert: activationOperator('relu6'), onnx: 'Clip' }),
  'keras.ops.Sigmoid': unaryLayer('Sigmoid'),
  'keras.ops.Silu': beyond({ convert: activationOperator('silu'), onnx: 'Sigmoid, Mul' }),
  'keras.ops.Sqrt': unaryLayer('Sqrt'),
  'keras.ops.Square': beyond({ convert: square, onnx: 'Mul' }),
  'keras.ops.Squeeze': beyond({ convert: squeeze, takesAnyType: true, onnx: 'Squeeze' }),
  'keras.ops.Subtract': binaryLayer('Sub'),
  'keras.ops.Sum': reductionLayer('ReduceSum'),
  'keras.ops.Tanh': unaryLayer('Tanh'),
  'keras.ops.TrueDivide': binaryLayer('Div'),
} as const satisfies Record<OperationClass | 'TFOpLambda', LayerRule>;
