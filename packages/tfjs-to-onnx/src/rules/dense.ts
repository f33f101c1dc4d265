import { activated } from '../activations.ts';
import { malformed } from '../errors.ts';
import { lastSize, rankOf, shownShape } from '../graph/value.ts';
import { onlyInput, type Rule } from '../rule.ts';

/** Kernels are [inputs, units], which is the B of Gemm and of MatMul without transposition. */
export const dense: Rule = (call) => {
  const { name, settings, scope } = call;
  const input = onlyInput(call);
  const inputs = lastSize(input);
  if (inputs === undefined || rankOf(input) < 2) {
    throw malformed(
      `Layer "${name}" (Dense) takes ${shownShape(input.shape)}; expected a known last size, rank 2 or more.`,
    );
  }
  const units = settings.wholeNumber('units');
  const kernel = call.weight('kernel', [inputs, units]);
  const bias = settings.boolean('use_bias', true) ? call.weight('bias', [units]) : undefined;
  // Gemm takes matrices only; MatMul takes any rank, and has no bias.
  if (rankOf(input) === 2) return activated(call, scope.add('Gemm', [input, kernel, bias], {}, 'preactivation'));
  if (!bias) return activated(call, scope.add('MatMul', [input, kernel], {}, 'preactivation'));
  const product = scope.add('MatMul', [input, kernel], {}, 'product');
  return activated(call, scope.add('Add', [product, bias], {}, 'preactivation'));
};
