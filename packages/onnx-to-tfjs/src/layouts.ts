import type { Dimension } from '@atelier/onnx';
import type { LayerDescription, LayerOutput, Network } from './network.ts';

/** A tensor of the graph, and what gives it in the model, whose axes may stand in another order. */
export interface Value {
  source: LayerOutput;
  /** In the graph's order; axis 0 is the batch. */
  shape: readonly Dimension[];
  /** For each axis of the model's tensor the graph's axis that it is. Axes of size 1 may be missing. */
  layout: readonly number[];
  /** Where axis 1 was several axes: the model flattened them in another order than the graph. */
  flattened?: Flattened;
  /** No element is below zero, whatever the input. */
  isNonNegative: boolean;
}

export interface Flattened {
  /** Of the model's axes before they were flattened, without the batch. */
  sizes: readonly number[];
  /** For each of these the position that the graph had it at, from 0. */
  axes: readonly number[];
}

export function identityLayout(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** Batch, spatial axes, channels, where the graph has the channels on axis 1. */
export function channelsLast(rank: number): number[] {
  return [0, ...identityLayout(rank).slice(2), 1];
}

export function isPlainLayout(layout: readonly number[], rank: number): boolean {
  return layout.length === rank && layout.every((axis, index) => axis === index);
}

/** The sizes of the model's tensor, without the batch; null for an open one. */
export function layerSizes({ shape, layout }: Pick<Value, 'shape' | 'layout'>): (number | null)[] {
  return layout.slice(1).map((axis) => numberOrNull(shape[axis]));
}

export function numberOrNull(size: Dimension | undefined): number | null {
  return typeof size === 'number' ? size : null;
}

/** For each element of the model's flattened axis the element of the graph's that it is; undefined where both are alike. */
export function flattenedOrder({ flattened }: Value): number[] | undefined {
  if (!flattened) return undefined;
  const { sizes, axes } = flattened;
  const strides = new Array<number>(axes.length).fill(1);
  for (let position = axes.length - 2; position >= 0; position--) {
    strides[position] = (strides[position + 1] ?? 1) * (sizes[axes.indexOf(position + 1)] ?? 1);
  }
  return sizes.reduce<number[]>(
    (offsets, size, axis) =>
      offsets.flatMap((offset) =>
        Array.from({ length: size }, (_, index) => offset + index * (strides[axes[axis] ?? 0] ?? 1)),
      ),
    [0],
  );
}

/**
 * `value` with its axes in the model's order `wanted`, by a Permute and a Reshape where they are needed. Undefined where a
 * Reshape would need two open sizes, which TensorFlow.js cannot say.
 */
export function withLayout(network: Network, value: Value, wanted: readonly number[], name: string): Value | undefined {
  const current = unflattened(network, value, name);
  const { shape } = current;
  const rank = (axis: number) => (wanted.includes(axis) ? wanted.indexOf(axis) : wanted.length + axis);
  const sorted = [...current.layout].sort((first, second) => rank(first) - rank(second));
  const isBig = (axis: number) => shape[axis] !== 1;
  const isSameOrder = sorted.filter(isBig).join() === current.layout.filter(isBig).join();
  const permuted = isSameOrder ? current : permute(network, current, sorted, `${name}_permute`);
  if (permuted.layout.join() === wanted.join()) return permuted;
  const sizes = layerSizes({ shape, layout: wanted });
  const description = reshapeLayer(`${name}_reshape`, sizes);
  return description && { ...permuted, source: network.add(description, [permuted.source]), layout: wanted };
}

/** The Reshape to `sizes`; undefined with more than one open size. */
export function reshapeLayer(name: string, sizes: readonly (number | null)[]): LayerDescription | undefined {
  if (sizes.filter((size) => size === null).length > 1) return undefined;
  return { className: 'Reshape', name, config: { target_shape: sizes.map((size) => size ?? -1) } };
}

/** `value` with axis 1 in the graph's order, where it was flattened in another one. */
function unflattened(network: Network, value: Value, name: string): Value {
  const { flattened, ...plain } = value;
  if (!flattened) return value;
  const { sizes, axes } = flattened;
  const dims = identityLayout(axes.length).map((position) => axes.indexOf(position) + 1);
  const steps: LayerDescription[] = [
    { className: 'Reshape', name: `${name}_unflatten`, config: { target_shape: [...sizes] } },
    { className: 'Permute', name: `${name}_permute`, config: { dims } },
    { className: 'Flatten', name: `${name}_flatten` },
  ];
  return { ...plain, source: steps.reduce((source, step) => network.add(step, [source]), value.source) };
}

function permute(network: Network, value: Value, layout: readonly number[], name: string): Value {
  const dims = layout.slice(1).map((axis) => value.layout.indexOf(axis));
  const source = network.add({ className: 'Permute', name, config: { dims } }, [value.source]);
  return { ...value, source, layout };
}
