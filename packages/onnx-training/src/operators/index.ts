import { notDifferentiable } from '../errors.ts';
import type { NodeView } from '../node-view.ts';
import { ACTIVATIONS } from './activations.ts';
import { ARITHMETIC } from './arithmetic.ts';
import { CONSTANTS } from './constants.ts';
import { CONVOLUTION } from './convolution.ts';
import { NORMALIZATION } from './normalization.ts';
import type { Operator } from './operator.ts';
import { POOLING } from './pooling.ts';
import { PRODUCTS } from './products.ts';
import { REDUCTIONS } from './reductions.ts';
import { SELECTION } from './selection.ts';
import { SHAPE_OPERATORS } from './shape-operators.ts';
import { SLICING } from './slicing.ts';
import { SOFTMAX } from './softmax.ts';

const FAMILIES: readonly Readonly<Record<string, Operator>>[] = [
  CONSTANTS,
  ARITHMETIC,
  ACTIVATIONS,
  PRODUCTS,
  CONVOLUTION,
  POOLING,
  SOFTMAX,
  NORMALIZATION,
  REDUCTIONS,
  SHAPE_OPERATORS,
  SLICING,
  SELECTION,
];

/** Every operator of the standard set that a graph to be trained may have; those with a `gradient` can be trained through. */
export const OPERATORS: Readonly<Record<string, Operator>> = Object.fromEntries(
  FAMILIES.flatMap(Object.entries<Operator>),
);

/** The operators that a gradient flows through, by name, and what to know of each, as Markdown; empty where it is nothing. */
export const DIFFERENTIABLE: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(OPERATORS)
    .filter(([, { gradient }]) => gradient !== undefined)
    .map(([name, { limits = '' }]) => [name, limits] as const)
    .sort(([first], [second]) => (first < second ? -1 : 1)),
);

/** The operators that a graph may have beside the way of a gradient. */
export const WITHOUT_GRADIENT: readonly string[] = Object.keys(OPERATORS)
  .filter((name) => !(name in DIFFERENTIABLE))
  .sort();

/** `not-differentiable` names the operator, its node and what there is. */
export function operatorOf(view: NodeView): Operator {
  const { domain, opType } = view.node;
  const isStandard = domain === '' || domain === 'ai.onnx';
  const operator = isStandard && Object.hasOwn(OPERATORS, opType) ? OPERATORS[opType] : undefined;
  if (operator !== undefined) return operator;
  const name = isStandard ? opType : `${domain}.${opType}`;
  throw notDifferentiable(
    `There is no rule for ${name} (node ${view.title}); supported: ${Object.keys(DIFFERENTIABLE).join(', ')}; ` +
      `where no gradient is to flow, also ${WITHOUT_GRADIENT.join(', ')}.`,
  );
}
