import { unsupported } from './errors.ts';
import type { LayerRule } from './rule.ts';
import { CORE_RULES } from './rules/core-layers.ts';
import { MERGING_RULES } from './rules/merging-layers.ts';
import { NORMALIZATION_RULES } from './rules/normalization-layers.ts';
import { OPERATOR_RULES } from './rules/operator-layers.ts';
import { PREPROCESSING_RULES } from './rules/preprocessing-layers.ts';
import { RECURRENT_RULES } from './rules/recurrent/recurrent-rules.ts';
import { WINDOW_RULES } from './rules/window-layers.ts';

/** A table for each family of layers. */
export const RULE_TABLES = [
  CORE_RULES,
  MERGING_RULES,
  NORMALIZATION_RULES,
  OPERATOR_RULES,
  PREPROCESSING_RULES,
  RECURRENT_RULES,
  WINDOW_RULES,
] as const;

/** The Keras layers that we know, by class name. Whatever a row says of ONNX stands in the README's table. */
export const LAYER_RULES = {
  ...CORE_RULES,
  ...MERGING_RULES,
  ...NORMALIZATION_RULES,
  ...OPERATOR_RULES,
  ...PREPROCESSING_RULES,
  ...RECURRENT_RULES,
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
    `Layer "${name}" is a ${className}, a class without a rule: what it computes is not in the file. ` +
      `Build the model without it, or add a rule for it; supported: ${SUPPORTED_LAYERS.join(', ')}.`,
  );
}
