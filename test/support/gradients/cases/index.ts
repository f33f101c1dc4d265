import type { GradientCase } from '../example.ts';
import { ACTIVATIONS } from './activations.ts';
import { ARITHMETIC } from './arithmetic.ts';
import { NORMALIZATION } from './normalization.ts';
import { PRODUCTS } from './products.ts';
import { REDUCTIONS } from './reductions.ts';
import { SELECTION } from './selection.ts';
import { SHAPES } from './shapes.ts';
import { SOFTMAX } from './softmax.ts';
import { WINDOWS } from './windows.ts';

/** Every operator that a gradient flows through, with every setting of it that changes the arithmetic. */
export const GRADIENT_CASES: readonly GradientCase[] = [
  ...ARITHMETIC,
  ...ACTIVATIONS,
  ...PRODUCTS,
  ...WINDOWS,
  ...SOFTMAX,
  ...NORMALIZATION,
  ...REDUCTIONS,
  ...SHAPES,
  ...SELECTION,
];
