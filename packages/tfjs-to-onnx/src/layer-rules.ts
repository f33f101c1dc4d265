import { unsupported } from './errors.ts';
import { type LayerRule, passMask, passThrough } from './rule.ts';
import { activation, elu, leakyReLU, reLU, softmax, thresholdedReLU } from './rules/activation-layers.ts';
import { dense } from './rules/dense.ts';
import { MERGING_RULES } from './rules/merging-layers.ts';
import { batchNormalization, rescaling } from './rules/scaling-layers.ts';
import { flatten, reshape } from './rules/shape-layers.ts';
import { WINDOW_RULES } from './rules/window-layers.ts';

/** Layers that do nothing at inference. */
const vanishes: LayerRule = { convert: passThrough, mask: passMask, takesAnyType: true, onnx: 'nothing' };

/** The Keras layers that we know, by class name. Whatever a row says of ONNX stands in the README's table. */
export const LAYER_RULES = {
  ...MERGING_RULES,
  Activation: { convert: activation, mask: passMask, onnx: 'see the activations' },
  AlphaDropout: vanishes,
  BatchNormalization: {
    convert: batchNormalization,
    mask: passMask,
    onnx: 'BatchNormalization; Transposes bring its axis to the front and back',
  },
  Dense: {
    convert: dense,
    mask: passMask,
    onnx: 'Gemm for a matrix, MatMul and Add for any other rank; then its activation',
  },
  Dropout: vanishes,
  ELU: { convert: elu, onnx: 'Elu' },
  Flatten: { convert: flatten, takesAnyType: true, onnx: 'Flatten; with channels first, Transpose before it' },
  GaussianDropout: vanishes,
  GaussianNoise: vanishes,
  LeakyReLU: { convert: leakyReLU, onnx: 'LeakyRelu' },
  ReLU: { convert: reLU, mask: passMask, onnx: 'Relu, or Clip where it has a maximum' },
  Rescaling: { convert: rescaling, onnx: 'Mul, Add' },
  Reshape: { convert: reshape, takesAnyType: true, onnx: 'Reshape' },
  Softmax: {
    convert: softmax,
    onnx: "Softmax along the layer's axis, which is 1 where a file of TensorFlow.js says none",
  },
  SpatialDropout1D: vanishes,
  ThresholdedReLU: { convert: thresholdedReLU, onnx: 'ThresholdedRelu' },
  ...WINDOW_RULES,
} as const satisfies Record<string, LayerRule>;

/** By class name; an InputLayer becomes an input of the graph, and a model inside the model its own layers: no rule makes them. */
export const SUPPORTED_LAYERS: readonly string[] = [
  ...Object.entries<LayerRule>(LAYER_RULES).flatMap(([name, rule]) => ('convert' in rule ? [name] : [])),
  'Functional',
  'InputLayer',
  'Model',
  'Sequential',
].sort();

/** The rule of a layer; a class without one is `unsupported-layer`. */
export function ruleOf({ className, name }: { className: string; name: string }): LayerRule {
  if (Object.hasOwn(LAYER_RULES, className)) return LAYER_RULES[className as keyof typeof LAYER_RULES];
  throw unsupported(
    `Layer "${name}" is a ${className}; supported: ${SUPPORTED_LAYERS.join(', ')}. ` +
      'Build the model from these, or add a rule for the class.',
  );
}
