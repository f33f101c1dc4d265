import { float32Tensor } from '@atelier/onnx';
import { malformedGraph } from './errors.ts';
import type { GraphBuilder } from './graph-builder.ts';

/**
 * A fully connected layer, input·kernel + bias for `input` [batch, inputs]; gives [batch, units]. Its parameters
 * `<name>/kernel` [inputs, units] and `<name>/bias` [units] become parameters of the graph. The kernel is uniform within
 * ±√(6/(inputs + units)) (Glorot and Bengio 2010, equation 16), the bias zero; seed and name decide the numbers.
 */
export function dense(graph: GraphBuilder, input: string, name: string, units: number, seed = 0): string {
  const { type, shape } = graph.typeOf(input);
  const inputs = shape[1];
  if (type !== 'float32' || inputs === undefined || shape.length !== 2) {
    throw malformedGraph(
      `Layer "${name}" is given ${type} [${shape.join(', ')}]; expected a matrix of float32, a row for each example.`,
    );
  }
  const bound = Math.sqrt(6 / (inputs + units));
  const next = randomNumbers(`${name}/${seed}`);
  const values = Float32Array.from({ length: inputs * units }, () => bound * (2 * next() - 1));
  const kernel = graph.parameter(float32Tensor(`${name}/kernel`, [inputs, units], values));
  const bias = graph.parameter(float32Tensor(`${name}/bias`, [units], new Float32Array(units)));
  return graph.under(name, () => graph.add('Gemm', [input, kernel, bias]));
}

/** Numbers from 0 to below 1, always the same ones for a text: FNV-1a of it, then Marsaglia's xorshift (2003). */
function randomNumbers(text: string): () => number {
  let state = 0x811c9dc5;
  for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  if (state === 0) state = 1; // the one number that xorshift never leaves
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
