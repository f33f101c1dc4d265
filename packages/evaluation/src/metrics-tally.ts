import { CLASS_COUNT, ClassificationTally, type SplitMetrics } from '@atelier/domain';
import type { EvaluationMetrics } from './report.ts';

/** Everything that a report says of one version, counted batch by batch. */
export class MetricsTally {
  readonly #tally = new ClassificationTally();
  #inTopThree = 0;

  /** As `ClassificationTally.add`: [count, 10] and [count]; what it refuses is not counted. */
  add(probabilities: Float32Array, labels: Uint8Array): void {
    this.#tally.add(probabilities, labels);
    labels.forEach((label, row) => {
      const rank = rankOf(label, probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT));
      this.#inTopThree += rank < 3 ? 1 : 0;
    });
  }

  /** `RangeError` where nothing was counted. */
  metrics(): EvaluationMetrics {
    const { count, accuracy, accuracyInterval, loss, calibrationError, perClass, confusionMatrix } =
      this.#tally.metrics();
    // In the order in which one reads them: the numbers, then the lists.
    return {
      examples: count,
      accuracy,
      accuracyInterval,
      topThreeAccuracy: this.#inTopThree / count,
      loss,
      ...meansOver({ perClass, confusionMatrix }),
      calibrationError,
      perClass,
      confusionMatrix,
      calibrationBins: this.#tally.bins.map(({ lower, upper, ...bin }) => ({
        lower,
        upper,
        count: bin.count,
        confidence: bin.count === 0 ? null : Math.min(1, bin.confidence / bin.count),
        accuracy: bin.count === 0 ? null : bin.correct / bin.count,
      })),
    };
  }
}

/** How many classes come before `label`: the more probable ones and, as for `argmax`, the first of equals. */
function rankOf(label: number, probabilities: Float32Array): number {
  const own = probabilities[label] ?? 0;
  return probabilities.reduce(
    (rank, probability, index) => rank + (probability > own || (probability === own && index < label) ? 1 : 0),
    0,
  );
}

/**
 * Means over the classes, which take in only those of which there is something to say, as scikit-learn's
 * `balanced_accuracy_score` and `f1_score` do: a folder of sneakers and bags is not worse for having no coats.
 */
function meansOver({ perClass, confusionMatrix }: Pick<SplitMetrics, 'perClass' | 'confusionMatrix'>) {
  const occurring = perClass.filter(({ support }) => support > 0);
  const named = perClass.filter(
    ({ support }, index) => support > 0 || confusionMatrix.some((row) => (row[index] ?? 0) > 0),
  );
  return {
    balancedAccuracy: mean(occurring.map(({ recall }) => recall)),
    macroF1: mean(named.map(({ f1 }) => f1)),
    weightedF1: Math.min(
      1,
      sum(occurring.map(({ f1, support }) => f1 * support)) / sum(occurring.map(({ support }) => support)),
    ),
  };
}

/** Rounding must not carry a mean of shares over 1. */
function mean(shares: readonly number[]): number {
  return Math.min(1, sum(shares) / shares.length);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
