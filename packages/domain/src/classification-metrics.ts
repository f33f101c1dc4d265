import { argmax } from './argmax.ts';
import { calibrationBins, calibrationError } from './calibration.ts';
import { CLASS_COUNT, CLASS_NAMES } from './classes.ts';
import type { SplitMetrics } from './manifest.ts';

/** Probabilities below this count as this in the loss, so that one certain mistake cannot make it infinite. */
const SMALLEST_PROBABILITY = 1e-12;
/** The 97.5 % quantile of the normal distribution: a two-sided 95 % interval. */
const NORMAL_QUANTILE = 1.959963984540054;

/**
 * How good predictions are. `probabilities` is [count, 10] row-major with rows that sum to 1, `labels` is [count] with
 * class indices 0 to 9; `count` at least 1. A wrong size or label is a `RangeError`.
 */
export function classificationMetrics(probabilities: Float32Array, labels: Uint8Array): SplitMetrics {
  const count = labels.length;
  if (count === 0) throw new RangeError('No labels; expected at least one.');
  if (probabilities.length !== count * CLASS_COUNT) {
    throw new RangeError(`${probabilities.length} probabilities for ${count} labels; expected ${count * CLASS_COUNT}.`);
  }
  const confusionMatrix = Array.from({ length: CLASS_COUNT }, () => new Array<number>(CLASS_COUNT).fill(0));
  let loss = 0;
  let correct = 0;
  labels.forEach((label, row) => {
    const rowProbabilities = probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT);
    const counts = confusionMatrix[label];
    if (counts === undefined) throw new RangeError(`Label ${label} in row ${row}; expected 0 to ${CLASS_COUNT - 1}.`);
    const predicted = argmax(rowProbabilities);
    counts[predicted] = (counts[predicted] ?? 0) + 1;
    correct += predicted === label ? 1 : 0;
    loss -= Math.log(Math.max(rowProbabilities[label] ?? 0, SMALLEST_PROBABILITY));
  });
  return {
    count,
    accuracy: correct / count,
    accuracyInterval: wilsonInterval(correct, count),
    loss: loss / count,
    perClass: CLASS_NAMES.map((label, index) => ({ label, ...classMetrics(confusionMatrix, index) })),
    confusionMatrix,
    calibrationError: calibrationError(calibrationBins(probabilities, labels)),
  };
}

/** 95 % score interval of a proportion (Wilson 1927, doi:10.2307/2276774). */
export function wilsonInterval(successes: number, count: number): [number, number] {
  const proportion = successes / count;
  const squared = NORMAL_QUANTILE ** 2;
  const centre = (proportion + squared / (2 * count)) / (1 + squared / count);
  const half =
    (NORMAL_QUANTILE / (1 + squared / count)) *
    Math.sqrt((proportion * (1 - proportion)) / count + squared / (4 * count * count));
  // At 0 and 1 the bound equals the proportion; rounding must not put it on the wrong side.
  return [Math.max(0, Math.min(centre - half, proportion)), Math.min(1, Math.max(centre + half, proportion))];
}

/** A class that is never predicted has precision 0, one that never occurs recall 0. */
function classMetrics(confusionMatrix: number[][], index: number) {
  const hits = confusionMatrix[index]?.[index] ?? 0;
  const support = (confusionMatrix[index] ?? []).reduce((sum, value) => sum + value, 0);
  const predictions = confusionMatrix.reduce((sum, row) => sum + (row[index] ?? 0), 0);
  const precision = predictions === 0 ? 0 : hits / predictions;
  const recall = support === 0 ? 0 : hits / support;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f1, support };
}
