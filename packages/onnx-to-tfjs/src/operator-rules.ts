import type { OnnxNode } from '@atelier/onnx';
import { unsupported } from './errors.ts';
import type { Rule } from './node-view.ts';
import {
  activation,
  clip,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  pRelu,
  selu,
  softmax,
  thresholdedRelu,
} from './rules/activations.ts';
import { gemm, matMul } from './rules/affine.ts';
import { add, dequantize, divide, multiply, negate, subtract } from './rules/arithmetic.ts';
import { conv } from './rules/convolution.ts';
import { concat, merging } from './rules/merging.ts';
import { batchNormalization } from './rules/normalization.ts';
import { pad } from './rules/padding.ts';
import { averagePool, globalAveragePool, globalMaxPool, maxPool, reduce } from './rules/pooling.ts';
import { resize } from './rules/resizing.ts';
import { cast, dropout, flatten, passThrough, reshape, transpose, unitAxes } from './rules/shapes.ts';

interface Entry {
  rule: Rule;
  /** What the operator becomes, for people. */
  becomes: string;
}

/** The operators that become layers. */
const RULES = {
  Add: { rule: add, becomes: 'a bias, Rescaling or Add' },
  AveragePool: { rule: averagePool, becomes: 'AveragePooling1D, AveragePooling2D' },
  BatchNormalization: { rule: batchNormalization, becomes: 'BatchNormalization' },
  Cast: { rule: cast, becomes: 'nothing: all layers compute in float32' },
  Clip: { rule: clip, becomes: 'Activation relu or relu6, or ReLU between two Rescalings' },
  Concat: { rule: concat, becomes: 'Concatenate' },
  Conv: { rule: conv, becomes: 'Conv1D, Conv2D, DepthwiseConv2D; groups as Cropping2D, Conv2D and Concatenate' },
  DequantizeLinear: { rule: dequantize, becomes: 'Rescaling' },
  Div: { rule: divide, becomes: 'Rescaling, or a part of the weights before it' },
  Dropout: { rule: dropout, becomes: 'nothing' },
  Elu: { rule: elu, becomes: 'Activation elu' },
  Flatten: { rule: flatten, becomes: 'Flatten' },
  Gelu: { rule: gelu, becomes: 'Activation gelu' },
  Gemm: { rule: gemm, becomes: 'Dense' },
  GlobalAveragePool: { rule: globalAveragePool, becomes: 'GlobalAveragePooling1D, GlobalAveragePooling2D' },
  GlobalMaxPool: { rule: globalMaxPool, becomes: 'GlobalMaxPooling1D, GlobalMaxPooling2D' },
  HardSigmoid: { rule: hardSigmoid, becomes: 'Activation hard_sigmoid, scaled before' },
  HardSwish: { rule: hardSwish, becomes: 'Activation hard_sigmoid and Multiply' },
  Identity: { rule: passThrough, becomes: 'nothing' },
  LeakyRelu: { rule: leakyRelu, becomes: 'LeakyReLU' },
  LogSoftmax: { rule: softmax('log_softmax'), becomes: 'Activation log_softmax' },
  MatMul: { rule: matMul, becomes: 'Dense' },
  Max: { rule: merging('Maximum'), becomes: 'Maximum' },
  MaxPool: { rule: maxPool, becomes: 'MaxPooling1D, MaxPooling2D' },
  Mean: { rule: merging('Average'), becomes: 'Average' },
  Min: { rule: merging('Minimum'), becomes: 'Minimum' },
  Mish: { rule: activation('mish'), becomes: 'Activation mish' },
  Mul: { rule: multiply, becomes: 'Rescaling, Multiply, or a part of the weights before it' },
  Neg: { rule: negate, becomes: 'Rescaling' },
  PRelu: { rule: pRelu, becomes: 'PReLU' },
  Pad: { rule: pad, becomes: 'ZeroPadding2D' },
  ReduceMax: { rule: reduce('Max'), becomes: 'GlobalMaxPooling1D, GlobalMaxPooling2D' },
  ReduceMean: { rule: reduce('Average'), becomes: 'GlobalAveragePooling1D, GlobalAveragePooling2D' },
  Relu: { rule: activation('relu', true), becomes: 'Activation relu' },
  Reshape: { rule: reshape, becomes: 'Flatten, Reshape, or nothing' },
  Resize: { rule: resize, becomes: 'UpSampling2D' },
  Selu: { rule: selu, becomes: 'Activation selu' },
  Sigmoid: { rule: activation('sigmoid', true), becomes: 'Activation sigmoid' },
  Softmax: { rule: softmax('softmax'), becomes: 'Activation softmax' },
  Softplus: { rule: activation('softplus', true), becomes: 'Activation softplus' },
  Softsign: { rule: activation('softsign'), becomes: 'Activation softsign' },
  Squeeze: { rule: unitAxes, becomes: 'nothing, or Reshape' },
  Sub: { rule: subtract, becomes: 'Rescaling, Add, or a part of the weights before it' },
  Sum: { rule: merging('Add'), becomes: 'Add' },
  Swish: { rule: activation('swish'), becomes: 'Activation swish' },
  Tanh: { rule: activation('tanh'), becomes: 'Activation tanh' },
  ThresholdedRelu: { rule: thresholdedRelu, becomes: 'ThresholdedReLU' },
  Transpose: { rule: transpose, becomes: 'nothing, or Permute' },
  Unsqueeze: { rule: unitAxes, becomes: 'nothing, or Reshape' },
  Upsample: { rule: resize, becomes: 'UpSampling2D' },
} as const satisfies Record<string, Entry>;

/** By operator of the standard set: what it becomes. */
export const SUPPORTED_OPERATORS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(RULES).map(([name, { becomes }]) => [name, becomes]),
);

/** The rule of a node; an operator without one is `unsupported-operator`. */
export function ruleOf({ opType, domain, name, outputs }: OnnxNode): Rule {
  const isStandard = domain === '' || domain === 'ai.onnx';
  if (isStandard && Object.hasOwn(RULES, opType)) return RULES[opType as keyof typeof RULES].rule;
  const label = `Node "${name || (outputs[0] ?? '')}"`;
  if (!isStandard) {
    throw unsupported(
      `${label} is a ${opType} of the operator set ${domain}; supported: the standard one. ` +
        'Take the model as its exporter wrote it, before a runtime optimised it.',
    );
  }
  throw unsupported(
    `${label} is a ${opType}; supported: ${Object.keys(RULES).join(', ')}. ` +
      'Build the network from these, cut it off before, or add a rule for the operator.',
  );
}
