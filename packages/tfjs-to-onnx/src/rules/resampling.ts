import { type AttributeSource, type Dimension, string } from '@atelier/onnx';
import { unsupported } from '../errors.ts';
import type { Value } from '../graph/value.ts';
import { moderateCount } from '../graph/scope.ts';
import { followsTfjs, type LayerCall, type Rule } from '../rule.ts';
import { inOwnLayout, type SpatialInput, spatialInput } from './spatial-input.ts';

/** Each element as often as `size` says along each axis, or in two dimensions a linear blend of its neighbours. */
export const upSampling =
  (axes: number): Rule =>
  (call) => {
    const { settings, scope } = call;
    const input = spatialInput(call, axes);
    const factors = settings.wholeNumbers('size', axes, 2);
    const attributes = axes === 2 && interpolationOf(call, 'nearest') === 'bilinear' ? bilinear(call) : NEAREST;
    const scales = scope.floats([axes + 2], [1, 1, ...factors], 'scales');
    const result = scope.add('Resize', [input.value, undefined, scales], attributes, 'resized');
    return inOwnLayout(call, input, result);
  };

/** With whole factors, the element that a place of the result lies in. */
const NEAREST: Record<string, AttributeSource> = {
  mode: string('nearest'),
  coordinate_transformation_mode: string('asymmetric'),
  nearest_mode: string('floor'),
};

function bilinear(call: LayerCall): Record<string, AttributeSource> {
  const isTfjs = followsTfjs(call, 'blends as if elements had no extent (no half-pixel centres)');
  return { mode: string('linear'), coordinate_transformation_mode: string(isTfjs ? 'asymmetric' : 'half_pixel') };
}

/** Of the methods of Keras those that TensorFlow.js has. */
export function interpolationOf(
  { name, className, settings }: LayerCall,
  fallback: 'nearest' | 'bilinear',
): 'nearest' | 'bilinear' {
  const found = settings.text('interpolation', fallback).toLowerCase();
  if (found === 'nearest' || found === 'bilinear') return found;
  throw unsupported(
    `Layer "${name}" (${className}) has interpolation "${found}"; supported: nearest, bilinear. Build the model with one of them.`,
  );
}

export type Size = readonly [height: number, width: number];

/** Which places of the input those of the result are: ONNX's `coordinate_transformation_mode`. */
export type Coordinates = 'align_corners' | 'asymmetric' | 'half_pixel';

/** Images of another size. */
export function resized(
  call: LayerCall,
  { value, space, channels }: SpatialInput,
  size: Size,
  coordinates: Coordinates,
  method: 'nearest' | 'bilinear',
): Value {
  const { scope } = call;
  if (method === 'nearest') {
    return size.reduce((image, count, axis) => {
      const places = nearestPlaces(call, space[axis] ?? null, count, coordinates);
      return scope.gather(image, axis + 2, places, `places_${axis}`);
    }, value);
  }
  const attributes = { mode: string('linear'), coordinate_transformation_mode: string(coordinates) };
  const [batch] = value.shape;
  const fixed = [channels, ...size];
  if (typeof batch === 'number' && typeof channels === 'number') {
    const sizes = scope.ints([batch, channels, ...size], 'sizes');
    return scope.add('Resize', [value, undefined, undefined, sizes], attributes, 'resized');
  }
  const kept = typeof channels === 'number' ? 1 : 2;
  const open = scope.slice(scope.shapeOf(value), 0, 0, kept, 1, 'kept_sizes');
  const rest = scope.ints(
    fixed.slice(kept - 1).map((each) => Number(each)),
    'new_sizes',
  );
  const sizes = scope.concat([open, rest], 0, 'sizes');
  return scope.add('Resize', [value, undefined, undefined, sizes], attributes, 'resized');
}

/**
 * The nearest elements, as TensorFlow.js and Keras round them (`ResizeNearestNeighbor` of tfjs-backend-cpu, and of TensorFlow
 * with half-pixel centres): a Resize computes places in float32, and falls to the other side of some that lie between two.
 */
function nearestPlaces(call: LayerCall, size: Dimension, count: number, coordinates: Coordinates): number[] {
  if (typeof size !== 'number') {
    throw unsupported(
      `Layer "${call.name}" (${call.className}) takes the nearest elements of images of any size; supported: a known height ` +
        'and width, or bilinear. Give the size of the input with --input-shape.',
    );
  }
  const isAligned = coordinates === 'align_corners' && count > 1;
  const ratio = isAligned ? (size - 1) / (count - 1) : size / count;
  const place = (index: number): number => {
    if (coordinates === 'align_corners') return Math.round(ratio * index);
    if (coordinates === 'asymmetric') return Math.floor(ratio * index);
    return Math.floor(Math.fround(Math.fround(index + 0.5) * Math.fround(ratio)));
  };
  return Array.from({ length: moderateCount([count], call.name) }, (_, index) => Math.min(size - 1, place(index)));
}
