import { CLASS_COUNT, className } from '@atelier/domain';
import type { Judgement, Prediction } from './contract/predict.ts';

/**
 * Names and sorts probabilities [count, 10]: for each row its `top` classes, most probable first, with what the version says
 * of that answer where it says anything.
 */
export function rank(probabilities: Float32Array, top: number, judgements?: readonly Judgement[]): Prediction[] {
  return Array.from({ length: probabilities.length / CLASS_COUNT }, (_, row) => {
    const classes = Array.from(
      probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT),
      (probability, classIndex) => ({ label: className(classIndex), classIndex, probability }),
    ).sort((a, b) => b.probability - a.probability);
    const [first] = classes;
    if (first === undefined) throw new RangeError('No classes to rank.');
    return { ...first, ...judgements?.[row], probabilities: classes.slice(0, top) };
  });
}
