import type { Value } from '../layouts.ts';
import type { NodeView, Rule } from '../node-view.ts';
import { asImage, spatialLengths } from './images.ts';

/** Upsampling by whole numbers, where every output is what UpSampling2D gives. */
export const resize: Rule = (node) => {
  const input = node.value(0);
  const rank = input.shape.length;
  if (rank !== 4) throw node.refuse(`its input has rank ${rank}; supported: 4.`);
  const ready = node.channelsLast(input);
  const scales = scalesOf(node, ready);
  const factors = scales.slice(2);
  if (scales[0] !== 1 || scales[1] !== 1 || factors.some((factor) => !Number.isSafeInteger(factor) || factor < 1)) {
    throw node.refuse(`its scales are ${scales.join(', ')}; supported: whole ones, of width and height.`);
  }
  const mode = node.text('mode', 'nearest');
  requireSameGrid(node, mode, factors, spatialLengths(ready));
  const interpolation = mode === 'nearest' ? 'nearest' : 'bilinear';
  const image = asImage(node, ready);
  const source = node.add(
    {
      className: 'UpSampling2D',
      name: node.name(),
      config: { size: factors, data_format: 'channels_last', interpolation },
    },
    [image.source],
  );
  return image.back(
    source,
    spatialLengths(ready).map((length, axis) => (length === null ? null : length * (factors[axis] ?? 1))),
  );
};

/** From `scales`, which stand at another place in each operator set, or from `sizes`. */
function scalesOf(node: NodeView, { shape }: Value): readonly number[] {
  const written = node.node.attributes['scales'];
  if (written?.type === 'floats') return written.value; // Upsample until opset 8
  if (node.node.attributes['axes']) throw node.refuse('it has axes; supported: scales or sizes for all of them.');
  const index = node.opset < 11 || node.node.opType === 'Upsample' ? 1 : 2;
  const scales = node.has(index) ? node.weight(index).values : new Float32Array();
  if (scales.length > 0) return [...scales];
  const sizes = node.numbers('sizes', 3) ?? [];
  return shape.map((size, axis) => {
    const wanted = sizes[axis] ?? NaN;
    return typeof size === 'number' ? wanted / size : axis === 0 ? 1 : NaN;
  });
}

/** Cells of the result along an axis: each is looked at. */
const MOST_CELLS = 2 ** 20;

/** UpSampling2D repeats each cell, or interpolates from cells whose corners lie at whole coordinates. */
function requireSameGrid(
  node: NodeView,
  mode: string,
  factors: readonly number[],
  lengths: readonly (number | null)[],
) {
  const isOld = node.opset < 11 || node.node.opType === 'Upsample';
  const coordinates = isOld ? 'asymmetric' : node.text('coordinate_transformation_mode', 'half_pixel');
  if (mode === 'linear' && coordinates === 'asymmetric') return;
  if (mode === 'nearest') {
    const rounding = isOld ? 'floor' : node.text('nearest_mode', 'round_prefer_floor');
    const source = SOURCES[coordinates];
    const round = ROUNDINGS[rounding];
    const repeats = factors.every((factor, axis) => {
      const count = (lengths[axis] ?? 4) * factor;
      if (count > MOST_CELLS) throw node.refuse(`it gives ${count} cells along an axis; supported: ${MOST_CELLS}.`);
      return Array.from({ length: count }, (_, place) => place).every(
        (place) => source && round && round(source(place, factor)) === Math.floor(place / factor),
      );
    });
    if (repeats) return;
    throw node.refuse(
      `nearest with ${coordinates} and ${rounding} does not repeat each cell; use asymmetric and floor.`,
    );
  }
  throw node.refuse(
    `it interpolates ${mode} with ${coordinates}; supported: nearest, and linear with asymmetric. ` +
      'TensorFlow.js has no layer for the others.',
  );
}

/** Where output cell `place` lies in the input (ONNX, Resize). */
const SOURCES: Partial<Record<string, (place: number, factor: number) => number>> = {
  asymmetric: (place, factor) => place / factor,
  half_pixel: (place, factor) => (place + 0.5) / factor - 0.5,
  half_pixel_symmetric: (place, factor) => (place + 0.5) / factor - 0.5,
  pytorch_half_pixel: (place, factor) => (place + 0.5) / factor - 0.5,
};

const ROUNDINGS: Partial<Record<string, (place: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_floor: (place) => Math.max(0, Math.ceil(place - 0.5)),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
};
