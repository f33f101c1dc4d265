import type { CalibrationBin } from './calibration.ts';
import { ClassificationTally } from './classification-tally.ts';
import type { SplitMetrics } from './manifest.ts';

/**
 * How good predictions are. `probabilities` is [count, 10] row-major with rows that sum to 1, `labels` is [count] with
 * class indices 0 to 9; `count` at least 1. A wrong size, label or top probability is a `RangeError`.
 */
export function classificationMetrics(probabilities: Float32Array, labels: Uint8Array): SplitMetrics {
  return tallyOf(probabilities, labels).metrics();
}

/** Their reliability diagram; the same arguments, but `count` may be 0. */
export function calibrationBins(probabilities: Float32Array, labels: Uint8Array): readonly CalibrationBin[] {
  return tallyOf(probabilities, labels).bins;
}

function tallyOf(probabilities: Float32Array, labels: Uint8Array): ClassificationTally {
  const tally = new ClassificationTally();
  tally.add(probabilities, labels);
  return tally;
}
