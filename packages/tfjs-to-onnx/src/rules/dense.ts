import { node } from '@atelier/onnx';
import { activate, activationOf } from '../activations.ts';
import { malformed } from '../errors.ts';
import { lastSize, type Rule, shownShape, type Value } from '../step.ts';

/** Kernels are [inputs, units], which is the B of Gemm and of MatMul without transposition. */
export const dense: Rule = (layer, input) => {
  const { name, output, settings } = layer;
  const inputs = lastSize(input);
  if (inputs === undefined || input.shape.length < 2) {
    throw malformed(
      `Layer "${name}" (Dense) takes ${shownShape(input.shape)}; expected a known last size, rank 2 or more.`,
    );
  }
  const units = settings.number('units');
  const kernel = layer.weight('kernel', [inputs, units]);
  const bias = settings.boolean('use_bias', true) ? layer.weight('bias', [units]) : undefined;
  const activation = activationOf(layer);
  const sum: Value = {
    ...input,
    name: activation === 'linear' ? output : `${output}/preactivation`,
    shape: [...input.shape.slice(0, -1), units],
  };
  const activated = activate(activation, sum, output, layer.isKeras3);
  return {
    nodes: [...affine(input, kernel.name, bias?.name, sum.name, output), ...activated.nodes],
    initializers: [kernel, ...(bias ? [bias] : []), ...activated.initializers],
    output: activated.output,
  };
};

/** Gemm takes matrices only; MatMul takes any rank, and has no bias. */
function affine(input: Value, kernel: string, bias: string | undefined, sum: string, scope: string) {
  if (input.shape.length === 2) return [node('Gemm', [input.name, kernel, ...(bias ? [bias] : [])], sum)];
  if (bias === undefined) return [node('MatMul', [input.name, kernel], sum)];
  return [node('MatMul', [input.name, kernel], `${scope}/product`), node('Add', [`${scope}/product`, bias], sum)];
}
