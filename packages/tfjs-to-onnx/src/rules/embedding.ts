import { onlyInput, type Rule } from '../rule.ts';

/**
 * Rows of a matrix, by index. Fractions are cut off, as TensorFlow.js does. An index beyond the matrix fails when the model
 * runs, there and here; a negative one fails there, and counts from the end here.
 */
export const embedding: Rule = (call) => {
  const { scope, settings } = call;
  const input = onlyInput(call);
  const indices = input.type === 'int32' ? input : scope.cast(input, 'int64');
  const matrix = call.weight('embeddings', [settings.wholeNumber('input_dim'), settings.wholeNumber('output_dim')]);
  return scope.add('Gather', [matrix, indices], {}, 'rows');
};
