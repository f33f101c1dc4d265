import { CLASS_COUNT } from './classes.ts';
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
