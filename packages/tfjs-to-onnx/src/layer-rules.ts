import { unsupported } from './errors.ts';
import { activation, elu, leakyReLU, reLU, softmax, thresholdedReLU } from './rules/activation-layers.ts';
import { dense } from './rules/dense.ts';
import { batchNormalization, rescaling } from './rules/scaling-layers.ts';
import { flatten, reshape } from './rules/shape-layers.ts';
import { passThrough, type Rule } from './step.ts';

/** The Keras layers that we convert. */
const RULES = {
  Activation: activation,
  AlphaDropout: passThrough,
  BatchNormalization: batchNormalization,
  Dense: dense,
  Dropout: passThrough,
  ELU: elu,
  Flatten: flatten,
  GaussianDropout: passThrough,
  GaussianNoise: passThrough,
  LeakyReLU: leakyReLU,
  ReLU: reLU,
  Rescaling: rescaling,
  Reshape: reshape,
  Softmax: softmax,
  SpatialDropout1D: passThrough,
  ThresholdedReLU: thresholdedReLU,
} as const satisfies Record<string, Rule>;

/** By class name; an InputLayer becomes an input of the graph, which no rule makes. */
export const SUPPORTED_LAYERS: readonly string[] = [...Object.keys(RULES), 'InputLayer'].sort();

/** The rule of a layer; a class without one is `unsupported-layer`. */
export function ruleOf({ className, name }: { className: string; name: string }): Rule {
  if (Object.hasOwn(RULES, className)) return RULES[className as keyof typeof RULES];
  throw unsupported(
    `Layer "${name}" is a ${className}; supported: ${SUPPORTED_LAYERS.join(', ')}. ` +
      'Build the model from these, or add a rule for the class.',
  );
}
