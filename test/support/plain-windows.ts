import { at, filled, places } from './plain-arrays.ts';
import type { Numbers } from './run-converted.ts';

/** A window as Keras defines it: a number for each axis of space. */
export interface PlainWindow {
  strides: readonly number[];
  dilations: readonly number[];
  /** Elements of padding before the first one of each axis. */
  before: readonly number[];
}

/** The padding that Keras gives to `same`, and the number of outputs. */
export function samePlan(size: number, extent: number, stride: number): { before: number; count: number } {
  const count = Math.ceil(size / stride);
  return { before: Math.floor(Math.max((count - 1) * stride + extent - size, 0) / 2), count };
}

/** A convolution of [batch, ...space, channels] with [...window, channels / groups, filters], one product at a time. */
export function plainConvolution(
  x: Numbers,
  kernel: Numbers,
  counts: readonly number[],
  { strides, dilations, before }: PlainWindow,
  groups = 1,
): Numbers {
  const [batch = 1] = x.shape;
  const space = x.shape.slice(1, -1);
  const channels = kernel.shape.at(-2) ?? 1;
  const filters = kernel.shape.at(-1) ?? 1;
  return filled([batch, ...counts, filters], (place) => {
    const filter = place.at(-1) ?? 0;
    const group = Math.floor(filter / (filters / groups));
    let sum = 0;
    for (const offset of places(kernel.shape.slice(0, -2))) {
      const from = offset.map(
        (step, axis) =>
          (place[axis + 1] ?? 0) * (strides[axis] ?? 1) + step * (dilations[axis] ?? 1) - (before[axis] ?? 0),
      );
      if (from.some((index, axis) => index < 0 || index >= (space[axis] ?? 0))) continue;
      for (let channel = 0; channel < channels; channel++) {
        sum += at(x, [place[0] ?? 0, ...from, group * channels + channel]) * at(kernel, [...offset, channel, filter]);
      }
    }
    return sum;
  });
}

/** What a convolution's gradient gives to its input: [...window, filters, channels], each product put where it belongs. */
export function plainTransposedConvolution(
  x: Numbers,
  kernel: Numbers,
  counts: readonly number[],
  { strides, dilations, before }: PlainWindow,
): Numbers {
  const [batch = 1] = x.shape;
  const [filters = 1, channels = 1] = kernel.shape.slice(-2);
  const shape = [batch, ...counts, filters];
  const sums = filled(shape, () => 0).values.slice();
  const strideOf = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  for (const place of places(x.shape.slice(0, -1))) {
    for (const offset of places(kernel.shape.slice(0, -2))) {
      const to = offset.map(
        (step, axis) =>
          (place[axis + 1] ?? 0) * (strides[axis] ?? 1) + step * (dilations[axis] ?? 1) - (before[axis] ?? 0),
      );
      if (to.some((index, axis) => index < 0 || index >= (counts[axis] ?? 0))) continue;
      for (let filter = 0; filter < filters; filter++) {
        const target = [place[0] ?? 0, ...to, filter].reduce(
          (sum, index, axis) => sum + index * (strideOf[axis] ?? 0),
          0,
        );
        for (let channel = 0; channel < channels; channel++) {
          sums[target] = (sums[target] ?? 0) + at(x, [...place, channel]) * at(kernel, [...offset, filter, channel]);
        }
      }
    }
  }
  return { shape, values: sums };
}

/** The axes of an array in another order: axis `i` of the result is axis `permutation[i]` of the source. */
export function plainTranspose(source: Numbers, permutation: readonly number[]): Numbers {
  return filled(
    permutation.map((axis) => source.shape[axis] ?? 1),
    (place) =>
      at(
        source,
        source.shape.map((_, axis) => place[permutation.indexOf(axis)] ?? 0),
      ),
  );
}
