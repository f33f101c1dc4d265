import { encodeModel, float32Tensor, int, model, node, value } from '@atelier/onnx';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { TinyClassifier } from './published-version.ts';

/** Of 0 to 255, as published graphs have it, so that what comes into the first layer is about 0 to 1. */
const PIXEL_SCALE = 1 / 255;

/** A classifier of layers of these widths, Gemm and Relu as published graphs have them, and the same as arithmetic. */
export function deepClassifier(widths: readonly number[], seed = 1): Pick<TinyClassifier, 'onnx' | 'probabilities'> {
  const generator = xoroshiro128plus(seed);
  const drawn = (length: number, largest: number) =>
    Float32Array.from({ length }, () => (uniformInt(generator, -1000, 1000) / 1000) * largest);
  const layers = widths.slice(1).map((units, index) => {
    const inputs = widths[index] ?? 0;
    return { inputs, units, weights: drawn(inputs * units, 2 / Math.sqrt(inputs)), biases: drawn(units, 0.1) };
  });
  const names = layers.map((_, index) => (index === layers.length - 1 ? 'logits' : `hidden-${index}`));
  const graph = {
    name: 'deep',
    nodes: [
      node('Cast', ['image'], 'pixels', { to: int(1) }),
      node('Flatten', ['pixels'], 'row', { axis: int(1) }),
      node('Mul', ['row', 'scale'], 'layer-0'),
      ...layers.flatMap((_, index) => {
        const isLast = index === layers.length - 1;
        const sums = node('Gemm', [`layer-${index}`, `weights-${index}`, `biases-${index}`], names[index] ?? '');
        return isLast ? [sums] : [sums, node('Relu', [names[index] ?? ''], `layer-${index + 1}`)];
      }),
      node('Softmax', ['logits'], 'probabilities', { axis: int(1) }),
    ],
    inputs: [value('image', 'uint8', ['batch', 28, 28])],
    outputs: [value('logits', 'float32', ['batch', 10]), value('probabilities', 'float32', ['batch', 10])],
    initializers: [
      float32Tensor('scale', [], Float32Array.of(PIXEL_SCALE)),
      ...layers.flatMap(({ inputs, units, weights, biases }, index) => [
        float32Tensor(`weights-${index}`, [inputs, units], weights),
        float32Tensor(`biases-${index}`, [units], biases),
      ]),
    ],
    values: [],
  };
  return {
    onnx: encodeModel(model(graph)),
    probabilities(image) {
      let row = Float64Array.from(image, (pixel) => pixel * PIXEL_SCALE);
      for (const [index, { inputs, units, weights, biases }] of layers.entries()) {
        const sums = Float64Array.from(biases);
        for (let from = 0; from < inputs; from++) {
          for (let to = 0; to < units; to++)
            sums[to] = (sums[to] ?? 0) + (row[from] ?? 0) * (weights[from * units + to] ?? 0);
        }
        row = index === layers.length - 1 ? sums : sums.map((sum) => Math.max(0, sum));
      }
      const largest = Math.max(...row);
      const exponentials = [...row].map((logit) => Math.exp(logit - largest));
      const total = exponentials.reduce((sum, term) => sum + term, 0);
      return exponentials.map((term) => term / total);
    },
  };
}
