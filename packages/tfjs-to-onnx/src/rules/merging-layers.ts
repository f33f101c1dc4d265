import type { LayerRule } from '../rule.ts';
import { concatenate, concatenatedMask } from './concatenate.ts';
import { dot } from './dot.ts';
import { merge, mergedMask } from './merge.ts';

/** Layers that make one value of several. */
export const MERGING_RULES = {
  Add: {
    convert: merge({ operator: 'Add', variadic: 'Sum' }),
    mask: mergedMask,
    takesAnyType: true,
    onnx: 'Add, or Sum of three and more',
  },
  Average: {
    convert: merge({ operator: 'Mean', variadic: 'Mean', isFloat: true }),
    mask: mergedMask,
    takesAnyType: true,
    onnx: 'Mean',
  },
  Concatenate: { convert: concatenate, mask: concatenatedMask, takesAnyType: true, onnx: 'Concat' },
  Dot: {
    convert: dot,
    onnx: 'Mul and ReduceSum of matrices; MatMul up to rank 3, Einsum above',
  },
  Maximum: { convert: merge({ operator: 'Max', variadic: 'Max' }), mask: mergedMask, takesAnyType: true, onnx: 'Max' },
  Minimum: { convert: merge({ operator: 'Min', variadic: 'Min' }), mask: mergedMask, takesAnyType: true, onnx: 'Min' },
  Multiply: { convert: merge({ operator: 'Mul' }), mask: mergedMask, takesAnyType: true, onnx: 'Mul' },
  Subtract: {
    convert: merge({ operator: 'Sub', isBinary: true }),
    mask: mergedMask,
    takesAnyType: true,
    isBeyondTfjs: true,
    onnx: 'Sub',
  },
} as const satisfies Record<string, LayerRule>;
