import { argmax, CLASS_COUNT } from '@atelier/domain';

export interface Comparison {
  images: number;
  /** Images to which the two give another most probable class. */
  disagrees: number;
  /** Of a probability, absolute, over all images and classes. */
  largestDifference: number;
}

/** Compares probabilities, [count, 10] each, of the same images. */
export function compareOutputs(stable: Float32Array, canary: Float32Array): Comparison {
  const images = stable.length / CLASS_COUNT;
  let disagrees = 0;
  let largestDifference = 0;
  for (let start = 0; start < stable.length; start += CLASS_COUNT) {
    const [ours, theirs] = [stable, canary].map((rows) => rows.subarray(start, start + CLASS_COUNT));
    if (ours === undefined || theirs === undefined) break;
    if (argmax(ours) !== argmax(theirs)) disagrees++;
    ours.forEach((probability, index) => {
      largestDifference = Math.max(largestDifference, Math.abs(probability - (theirs[index] ?? 0)));
    });
  }
  return { images, disagrees, largestDifference };
}
