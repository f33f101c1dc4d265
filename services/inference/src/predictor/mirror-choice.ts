import { CLASS_COUNT, IMAGE_WIDTH, mostProbable, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { ImageFacts } from '../contract/image.ts';
import type { Outputs, Predictor, PredictOptions } from './predictor.ts';

/** Images as a request carries them. */
export interface CarriedImages {
  /** [count, 28, 28], count at least 1, 0 = background, 255 = brightest garment. */
  images: Uint8Array;
  /** Of each picture; undefined where the images came as pixels. */
  facts?: ImageFacts[] | undefined;
}

/** What a model says of images: `images` and `facts` are of those that it says it of. */
export interface PictureOutputs extends CarriedImages {
  outputs: Outputs;
}

/**
 * Asks about each picture and its mirror image and keeps the answer that the model is surer of: in the data set shoes point
 * their toes to the left, in most photos to the right. What came as pixels or in the data set's own form is asked about as
 * it is. Rejects with what `Predictor.predict` rejects with.
 */
export async function predictPictures(
  predictor: Pick<Predictor, 'predict'>,
  { images, facts }: CarriedImages,
  options?: PredictOptions,
): Promise<PictureOutputs> {
  const turned = facts?.flatMap((fact, row) => (isInDataSetForm(fact) ? [] : [row])) ?? [];
  if (facts === undefined || turned.length === 0)
    return { outputs: await predictor.predict(images, options), images, facts };
  const all = joined(images, mirrored(rowsOf(images, turned, PIXELS_PER_IMAGE)));
  const answeredRows = (outputs: Outputs) => surerRows(outputs, facts.length, turned);
  const outputs = await predictor.predict(all, { ...options, answeredRows });
  const chosen = answeredRows(outputs);
  return {
    outputs: chosenRows(outputs, chosen),
    images: rowsOf(all, chosen, PIXELS_PER_IMAGE),
    facts: facts.map((fact, row) => (chosen[row] === row ? fact : { ...fact, mirrored: true })),
  };
}

/** It kept every pixel, so that accuracy through files is that of the tensors. */
function isInDataSetForm({ background }: ImageFacts): boolean {
  return background === 'none';
}

/** For each of `count` pictures its row, or that of its mirror image where that is surer; these follow, one for each of `turned`. */
function surerRows(outputs: Outputs, count: number, turned: readonly number[]): number[] {
  const rows = Array.from({ length: count }, (_, row) => row);
  turned.forEach((row, index) => {
    if (confidence(outputs, count + index) > confidence(outputs, row)) rows[row] = count + index;
  });
  return rows;
}

function confidence({ probabilities }: Outputs, row: number): number {
  return mostProbable(probabilities, row).confidence;
}

/** Each image [28, 28] of `images` with left and right swapped. */
export function mirrored(images: Uint8Array): Uint8Array {
  const mirrors = new Uint8Array(images); // what `slice` of a Buffer gives is the same memory
  for (let start = 0; start < mirrors.length; start += IMAGE_WIDTH)
    mirrors.subarray(start, start + IMAGE_WIDTH).reverse();
  return mirrors;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** These rows of every output. */
function chosenRows({ logits, probabilities, outlierScores }: Outputs, rows: readonly number[]): Outputs {
  return {
    logits: rowsOf(logits, rows, CLASS_COUNT),
    probabilities: rowsOf(probabilities, rows, CLASS_COUNT),
    ...(outlierScores !== undefined && { outlierScores: rowsOf(outlierScores, rows, 1) }),
  };
}

/** These rows of `values`, of `width` values each. */
function rowsOf<T extends Uint8Array | Float32Array>(values: T, rows: readonly number[], width: number): T {
  const length = rows.length * width;
  const taken = (values instanceof Float32Array ? new Float32Array(length) : new Uint8Array(length)) as T;
  rows.forEach((row, index) => taken.set(values.subarray(row * width, (row + 1) * width), index * width));
  return taken;
}
