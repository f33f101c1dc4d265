import { CLASS_COUNT } from './classes.ts';
import type { Manifest } from './manifest.ts';
import { IMAGE_HEIGHT, IMAGE_WIDTH } from './image-geometry.ts';

/**
 * What a published `model.onnx` promises to its callers. Casting, scaling to the recipe's range and flattening are
 * nodes of the graph, so no caller can scale wrongly. A number is a fixed dimension, a string a symbolic one.
 */
export const PUBLISHED_GRAPH = {
  inputs: [{ name: 'image', type: 'uint8', shape: ['batch', IMAGE_HEIGHT, IMAGE_WIDTH] }],
  outputs: [
    { name: 'logits', type: 'float32', shape: ['batch', CLASS_COUNT] },
    { name: 'probabilities', type: 'float32', shape: ['batch', CLASS_COUNT] },
  ],
} as const;

/**
 * What a version that knows outliers gives as well: how unlike the training images an image is, without a unit; the
 * manifest's `trust.outliers.threshold` says from where on it is an outlier.
 */
export const OUTLIER_SCORE = { name: 'outlier_score', type: 'float32', shape: ['batch'] } as const;

export type PublishedOutput = (typeof PUBLISHED_GRAPH.outputs)[number] | typeof OUTLIER_SCORE;

/** The outputs of the version with this manifest, in the order of its graph. */
export function publishedOutputs({ trust }: Pick<Manifest, 'trust'>): readonly PublishedOutput[] {
  return trust === undefined ? PUBLISHED_GRAPH.outputs : [...PUBLISHED_GRAPH.outputs, OUTLIER_SCORE];
}
