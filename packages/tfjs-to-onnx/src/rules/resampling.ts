import { type AttributeSource, string } from '@atelier/onnx';
import { unsupported } from '../errors.ts';
import { followsTfjs, type LayerCall, type Rule } from '../rule.ts';
import { inOwnLayout, spatialInput } from './spatial-input.ts';

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
