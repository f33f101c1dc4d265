import { type CalibrationBin, calibrationError, countInBin, emptyCalibrationBins } from './calibration.ts';
import { CLASS_COUNT, CLASS_NAMES } from './classes.ts';
import type { SplitMetrics } from './manifest.ts';
import { mostProbable } from './most-probable.ts';
import { wilsonInterval } from './wilson-interval.ts';

/** Probabilities below this count as this in the loss, so that one certain mistake cannot make it infinite. */
const SMALLEST_PROBABILITY = 1e-12;
/** A probability in float32 may be above 1 by a rounding; logits are above it by far. */
const ROUNDING = 1e-3;

/** How good predictions are, counted batch by batch: what it holds does not grow with them. */
export class ClassificationTally {
  #count = 0;
  #correct = 0;
  #loss = 0;
  readonly #bins = emptyCalibrationBins();
  readonly #confusionMatrix = Array.from({ length: CLASS_COUNT }, () => new Array<number>(CLASS_COUNT).fill(0));

  /** Of the reliability diagram. */
  get bins(): readonly CalibrationBin[] {
    return this.#bins;
  }

  /**
   * Counts predictions. `probabilities` is [count, 10] row-major with rows that sum to 1, `labels` is [count] with class
   * indices 0 to 9. A wrong size, label or top probability is a `RangeError` that names the row, and nothing is counted.
   */
  add(probabilities: Float32Array, labels: Uint8Array): void {
    const predictions = checkedPredictions(probabilities, labels);
    predictions.forEach(({ predicted, confidence }, row) => {
      const label = labels[row] ?? 0;
      const counts = this.#confusionMatrix[label];
      if (counts !== undefined) counts[predicted] = (counts[predicted] ?? 0) + 1;
      this.#count++;
      this.#correct += predicted === label ? 1 : 0;
      this.#loss -= Math.log(Math.max(probabilities[row * CLASS_COUNT + label] ?? 0, SMALLEST_PROBABILITY));
      countInBin(this.#bins, confidence, predicted === label);
    });
  }

  /** Of all that was counted; `RangeError` where that is nothing. */
  metrics(): SplitMetrics {
    if (this.#count === 0) throw new RangeError('No labels; expected at least one.');
    return {
      count: this.#count,
      accuracy: this.#correct / this.#count,
      accuracyInterval: wilsonInterval(this.#correct, this.#count),
      loss: this.#loss / this.#count,
      perClass: CLASS_NAMES.map((label, index) => ({ label, ...classMetrics(this.#confusionMatrix, index) })),
      confusionMatrix: this.#confusionMatrix.map((row) => [...row]),
      calibrationError: calibrationError(this.#bins),
    };
  }
}

function checkedPredictions(probabilities: Float32Array, labels: Uint8Array) {
  const count = labels.length;
  if (probabilities.length !== count * CLASS_COUNT) {
    throw new RangeError(`${probabilities.length} probabilities for ${count} labels; expected ${count * CLASS_COUNT}.`);
  }
  return Array.from(labels, (label, row) => {
    if (label >= CLASS_COUNT) {
      throw new RangeError(`Label ${label} in row ${row}; expected 0 to ${CLASS_COUNT - 1}.`);
    }
    const { classIndex: predicted, confidence } = mostProbable(probabilities, row);
    if (!(confidence >= 0 && confidence <= 1 + ROUNDING)) {
      throw new RangeError(`Probability ${confidence} in row ${row}; expected 0 to 1.`);
    }
    return { predicted, confidence };
  });
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
