import { argmax } from './argmax.ts';
import { CLASS_COUNT } from './classes.ts';

/** The answer in one row of probabilities [count, 10]: the class, of equals the first, and how probable it is, 0 to 1. */
export function mostProbable(probabilities: Float32Array, row: number): { classIndex: number; confidence: number } {
  const ofRow = probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT);
  const classIndex = argmax(ofRow);
  return { classIndex, confidence: ofRow[classIndex] ?? 0 };
}
