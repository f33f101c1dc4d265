import { PIXELS_PER_IMAGE } from '@atelier/domain';
import type { OnnxModel } from '../export/onnx-model.ts';
import type { ClassifiedImage } from './classified-images.ts';

export interface Activations {
  layers: readonly LayerActivity[];
  /** With what each hidden layer gives for it, [units], in the order of `layers`. */
  images: readonly (ClassifiedImage & { values: readonly Float32Array[] })[];
  /** How many images the activity is counted over. */
  countedImages: number;
}

export interface LayerActivity {
  units: number;
  /** Share of its values that are exactly 0. */
  zeroShare: number;
  /** Units that give exactly 0 for every image. */
  silentUnits: number;
}

/** What a hidden layer gives: the value's name in the graph, [batch, width]. */
export interface HiddenValue {
  name: string;
  width: number;
}

/**
 * The `hidden` values, which must be among the model's outputs, for the images of `followed`, and how active they are
 * over `images` [count, 28, 28].
 */
export async function activationsOf(
  model: OnnxModel,
  hidden: readonly HiddenValue[],
  followed: readonly ClassifiedImage[],
  images: Uint8Array,
): Promise<Activations> {
  const widths = Object.fromEntries(hidden.map(({ name, width }) => [name, width]));
  const followedPixels = new Uint8Array(followed.length * PIXELS_PER_IMAGE);
  followed.forEach(({ pixels }, position) => followedPixels.set(pixels, position * PIXELS_PER_IMAGE));
  const followedValues = await model.outputs(followedPixels, widths);
  const values = await model.outputs(images, widths);
  return {
    layers: hidden.map(({ name, width }) => activity(values[name] ?? new Float32Array(), width)),
    images: followed.map((image, row) => ({
      ...image,
      values: hidden.map(({ name, width }) => rowOf(followedValues[name] ?? new Float32Array(), row, width)),
    })),
    countedImages: images.length / PIXELS_PER_IMAGE,
  };
}

/** `values` is [count, units]. */
function activity(values: Float32Array, units: number): LayerActivity {
  const timesActive = new Uint32Array(units);
  values.forEach((value, place) => {
    if (value !== 0) timesActive[place % units] = (timesActive[place % units] ?? 0) + 1;
  });
  const active = timesActive.reduce((sum, times) => sum + times, 0);
  return {
    units,
    zeroShare: 1 - active / values.length,
    silentUnits: timesActive.filter((times) => times === 0).length,
  };
}

function rowOf(values: Float32Array, row: number, width: number): Float32Array {
  return values.slice(row * width, (row + 1) * width);
}
