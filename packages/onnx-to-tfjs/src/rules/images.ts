import { layerSizes, numberOrNull, reshapeLayer, type Value } from '../layouts.ts';
import type { LayerOutput } from '../network.ts';
import type { NodeView } from '../node-view.ts';

/** A value as TensorFlow.js's layers for images take it, and the way back. */
export interface Image {
  /** [batch, height, width, channels]. */
  source: LayerOutput;
  /** The value that `source`, an image of the same channels, stands for; its lengths are those of the image unless they are given. */
  back: (source: LayerOutput, lengths?: readonly (number | null)[]) => Value;
}

/**
 * `value`, whose channels are the last of the model's axes, as an image: a sequence is one that is one pixel wide, a vector
 * is one pixel. TensorFlow.js pads, crops and convolves by channel in two dimensions only.
 */
export function asImage(node: NodeView, value: Value): Image {
  const sizes = layerSizes(value);
  if (sizes.length === 3)
    return { source: value.source, back: (source, lengths) => resized({ ...value, source }, lengths) };
  if (sizes.length > 3) throw node.refuse(`its input has rank ${value.shape.length}; supported: 2 to 4.`);
  const channels = sizes.at(-1) ?? null;
  const length = sizes.length === 2 ? (sizes[0] ?? null) : 1;
  const reshape = (target: readonly (number | null)[], name: string, source: LayerOutput) => {
    const layer = reshapeLayer(`${node.name()}_${name}`, target);
    if (layer) return node.add(layer, [source]);
    throw node.refuse('it needs a Reshape with two open sizes. Export the model with fixed sizes.');
  };
  return {
    source: reshape([length, 1, channels], 'image', value.source),
    back: (source, lengths = [length]) => {
      const target = sizes.length === 2 ? [lengths[0] ?? null, channels] : [channels];
      return resized(
        { ...value, source: reshape(target, 'sequence', source) },
        sizes.length === 2 ? lengths : undefined,
      );
    },
  };
}

function resized(value: Value, lengths: readonly (number | null)[] | undefined): Value {
  if (!lengths) return value;
  const shape = [...value.shape];
  lengths.forEach((length, index) => (shape[value.layout[index + 1] ?? 0] = length));
  return { ...value, shape };
}

/** The lengths of the axes between batch and channels, as far as they are known. */
export function spatialLengths({ shape, layout }: Value): (number | null)[] {
  return layout.slice(1, -1).map((axis) => numberOrNull(shape[axis]));
}

/** `value` with zeros around it; one pair of numbers for each axis between batch and channels. */
export function zeroPadded(
  node: NodeView,
  value: Value,
  pads: readonly (readonly [number, number])[],
  name: string,
): Value {
  return aroundImage(node, value, pads, name, 'ZeroPadding2D', 'padding');
}

/** `value` without its borders. */
export function cropped(
  node: NodeView,
  value: Value,
  crops: readonly (readonly [number, number])[],
  name: string,
): Value {
  return aroundImage(node, value, crops, name, 'Cropping2D', 'cropping');
}

function aroundImage(
  node: NodeView,
  value: Value,
  pairs: readonly (readonly [number, number])[],
  name: string,
  className: 'ZeroPadding2D' | 'Cropping2D',
  setting: string,
): Value {
  if (pairs.every(([before, after]) => before === 0 && after === 0)) return value;
  const image = asImage(node, value);
  const full = [...pairs, ...(pairs.length === 1 ? [[0, 0] as const] : [])];
  const config = { [setting]: full.map((pair) => [...pair]), data_format: 'channels_last' };
  const source = node.add({ className, name, config }, [image.source]);
  const sign = className === 'Cropping2D' ? -1 : 1;
  const lengths = spatialLengths(value).map((length, axis) => {
    const [before, after] = pairs[axis] ?? [0, 0];
    return length === null ? null : length + sign * (before + after);
  });
  return image.back(source, lengths);
}
