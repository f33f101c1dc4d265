import { CLASS_COUNT, className } from '@atelier/domain';
import type { Prediction } from './contract/predict.ts';

/** Names and sorts probabilities [count, 10]: for each row its `top` classes, most probable first. */
export function rank(probabilities: Float32Array, top: number): Prediction[] {
  return Array.from({ length: probabilities.length / CLASS_COUNT }, (_, row) => {
    const classes = Array.from(
      probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT),
      (probability, classIndex) => ({ label: className(classIndex), classIndex, probability }),
    ).sort((a, b) => b.probability - a.probability);
    const [first] = classes;
    if (first === undefined) throw new RangeError('No classes to rank.');
    return { ...first, probabilities: classes.slice(0, top) };
  });
}
