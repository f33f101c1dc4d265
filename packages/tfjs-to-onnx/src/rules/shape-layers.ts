import { type Dimension, int, int64Vector, ints, node } from '@atelier/onnx';
import { malformed } from '../errors.ts';
import { passThrough, type Rule, shownShape } from '../step.ts';

export const flatten: Rule = (layer, input) => {
  const rank = input.shape.length;
  if (rank === 2) return passThrough(layer, input);
  const output = { ...input, name: layer.output, shape: [input.shape[0] ?? null, product(input.shape.slice(1))] };
  // Channels first means that the file's layout differs from the one that Dense kernels were trained on.
  if (rank < 3 || !/^channels_?first$/i.test(layer.settings.text('data_format', 'channels_last'))) {
    return { nodes: [node('Flatten', [input.name], layer.output, { axis: int(1) })], initializers: [], output };
  }
  const permutation = [0, ...Array.from({ length: rank - 2 }, (_, index) => index + 2), 1];
  const channelsLast = `${layer.output}/channels_last`;
  return {
    nodes: [
      node('Transpose', [input.name], channelsLast, { perm: ints(permutation) }),
      node('Flatten', [channelsLast], layer.output, { axis: int(1) }),
    ],
    initializers: [],
    output,
  };
};

/** `target_shape` leaves the batch out; one size may be open. */
export const reshape: Rule = (layer, input) => {
  const target = layer.settings.sizes('target_shape');
  const open = target.indexOf(null);
  if (open !== target.lastIndexOf(null)) {
    throw malformed(`Layer "${layer.name}" has target_shape ${shownShape(target)}; expected at most one open size.`);
  }
  const elements = product(input.shape.slice(1));
  const known = target.reduce<number>((total, size) => total * (size ?? 1), 1);
  const missing = elements === null ? null : elements / known;
  if (missing !== null && (open < 0 ? missing !== 1 : !Number.isSafeInteger(missing))) {
    const from = shownShape(input.shape.slice(1));
    throw malformed(`Layer "${layer.name}" reshapes ${from} to ${shownShape(target)}; expected as many elements.`);
  }
  const sizes = target.map((size) => size ?? missing);
  const shape = [input.shape[0] ?? null, ...sizes];
  if (!sizes.includes(null) && shownShape(shape) === shownShape(input.shape)) return passThrough(layer, input);
  // 0 keeps the batch as it comes.
  const sizesTensor = int64Vector(`${layer.output}/shape`, [0, ...sizes.map((size) => size ?? -1)]);
  return {
    nodes: [node('Reshape', [input.name, sizesTensor.name], layer.output)],
    initializers: [sizesTensor],
    output: { ...input, name: layer.output, shape },
  };
};

/** Null when a size is open. */
function product(shape: readonly Dimension[]): number | null {
  const known = shape.filter((size) => typeof size === 'number');
  return known.length === shape.length ? known.reduce((total, size) => total * size, 1) : null;
}
