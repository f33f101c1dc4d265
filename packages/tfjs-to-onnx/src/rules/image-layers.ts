import { unsupported } from '../errors.ts';
import type { Value } from '../graph/value.ts';
import { moderateCount } from '../graph/scope.ts';
import { followsTfjs, type LayerCall, type Rule, unlessIgnored } from '../rule.ts';
import { type Coordinates, interpolationOf, resized, type Size } from './resampling.ts';
import { inOwnLayout, isChannelsFirst, type SpatialInput, spatialInput } from './spatial-input.ts';

/** A given height and width. TensorFlow.js aligns the corners; with `crop_to_aspect_ratio` it aligns the first elements. */
export const resizing: Rule = (call) => {
  const { name, settings } = call;
  const size = sizeOf(call);
  const method = interpolationOf(call, 'bilinear');
  const crops = settings.boolean('crop_to_aspect_ratio', false);
  const unknown = ['pad_to_aspect_ratio', 'antialias'].find((key) => settings.boolean(key, false));
  if (unknown !== undefined) {
    throw unsupported(
      `Layer "${name}" is a Resizing with ${unknown}; supported: crop_to_aspect_ratio. Resize before the model.`,
    );
  }
  const written = isChannelsFirst(call) ? 'channels_first' : 'channels_last';
  const isFirst = unlessIgnored(call, 'data_format', written, 'channels_last') === 'channels_first';
  const input = spatialInput(call, 2, isFirst);
  const isTfjs = followsTfjs(call, 'aligns the corners of the images');
  const coordinates: Coordinates = !isTfjs ? 'half_pixel' : crops ? 'asymmetric' : 'align_corners';
  const source = crops && !isTfjs ? croppedToRatio(call, input, size) : input;
  return inOwnLayout(call, input, resized(call, source, size, coordinates, method));
};

/** The middle of the images; those that are smaller are resized. */
export const centerCrop: Rule = (call) => {
  const [height, width] = sizeOf(call);
  const isTfjs = followsTfjs(call, 'takes rows and columns that lie close to those of the middle');
  const input = spatialInput(call, 2, !isTfjs && isChannelsFirst(call));
  const [rows, columns] = knownSpace(call, input);
  if (rows < height || columns < width) {
    const source = isTfjs ? input : croppedToRatio(call, input, [height, width]);
    const coordinates = isTfjs ? 'asymmetric' : 'half_pixel';
    return inOwnLayout(call, input, resized(call, source, [height, width], coordinates, 'bilinear'));
  }
  const top = Math.floor((rows - height) / 2);
  const left = Math.floor((columns - width) / 2);
  if (!isTfjs) return inOwnLayout(call, input, middle(call, input, [top, left], [height, width]).value);
  const places = [
    croppedPlaces(call, rows, height, top),
    croppedPlaces(call, columns, width, columns === width ? 0 : Math.max(1, left)),
  ];
  const result = places.reduce((image, each, axis) => placesOf(call, image, axis + 2, each), input.value);
  return inOwnLayout(call, input, result);
};

/**
 * Where TensorFlow.js finds the elements of an axis of a CenterCrop: `cropAndResize` of a box from `begin` on, to the nearest
 * element, whose corners are fractions of the size and not of the last place; float32, as boxes are. One that rounding puts
 * beyond the last is `size`, and is zero.
 */
function croppedPlaces({ name }: LayerCall, size: number, count: number, begin: number): number[] {
  const first = Math.fround(begin / size);
  const last = Math.fround((begin + count) / size);
  const step = count > 1 ? ((last - first) * (size - 1)) / (count - 1) : 0;
  const at = (index: number) => (count > 1 ? first * (size - 1) + index * step : 0.5 * (first + last) * (size - 1));
  return Array.from({ length: moderateCount([count], name) }, (_, index) =>
    at(index) > size - 1 ? size : Math.round(at(index)),
  );
}

function placesOf({ scope }: LayerCall, image: Value, axis: number, places: readonly number[]): Value {
  const size = image.shape[axis];
  if (typeof size !== 'number' || !places.includes(size))
    return scope.gather(image, axis, places, `places_${axis - 2}`);
  const pads = [...image.shape, ...image.shape].map((_, side) => (side === axis + image.shape.length ? 1 : 0));
  const extended = scope.add('Pad', [image, scope.ints(pads, 'one_zero')], {}, 'extended');
  return scope.gather(extended, axis, places, `places_${axis - 2}`);
}

/** The largest middle part with the ratio of `size`, in whole elements (Keras, `smart_resize`). */
function croppedToRatio(call: LayerCall, input: SpatialInput, [height, width]: Size): SpatialInput {
  const [rows, columns] = knownSpace(call, input);
  const kept: Size = [
    Math.min(rows, Math.trunc(Math.fround(Math.fround(columns * height) / width))),
    Math.min(columns, Math.trunc(Math.fround(Math.fround(rows * width) / height))),
  ];
  return middle(call, input, [Math.floor((rows - kept[0]) / 2), Math.floor((columns - kept[1]) / 2)], kept);
}

function middle(call: LayerCall, input: SpatialInput, [top, left]: Size, [height, width]: Size): SpatialInput {
  const [rows, columns] = knownSpace(call, input);
  const borders = [
    [top, rows - top - height],
    [left, columns - left - width],
  ] as const;
  return { ...input, value: call.scope.cropped(input.value, 2, borders), space: [height, width] };
}

function sizeOf({ settings }: LayerCall): Size {
  return [settings.wholeNumber('height'), settings.wholeNumber('width')];
}

function knownSpace({ name, className }: LayerCall, { space: [rows, columns] }: SpatialInput): Size {
  if (typeof rows === 'number' && typeof columns === 'number') return [rows, columns];
  throw unsupported(
    `Layer "${name}" is a ${className} of images of any size; supported: a known height and width. ` +
      'Give the size of the input with --input-shape.',
  );
}
