import { type AnswerReference, CLASS_COUNT, mostProbable, type Trust } from '@atelier/domain';

/** Of the validation images so many are to pass as what the model was trained on. */
export const PASSING_SHARE = 0.95;

/** What the answers with a confidence that is not low are to reach on the validation split. */
export const TARGET_ACCURACY = 0.95;

/** Bins of the confidence with a tenth of the validation answers each, as the population stability index has them. */
const CONFIDENCE_BINS = 10;

/** What a calibrated version answered to labelled images. */
export interface Answered {
  /** [count, 10] */
  probabilities: Float32Array;
  /** [count] */
  outlierScores: Float32Array;
  /** [count], class indices. */
  labels: Uint8Array;
}

/** The thresholds of the manifest, and what answers look like, from answers to the validation split, at least one. */
export function fittedTrust({ probabilities, outlierScores, labels }: Answered): Trust {
  const answers = Array.from(labels, (_, row) => mostProbable(probabilities, row));
  const classes = answers.map(({ classIndex }) => classIndex);
  const confidences = answers.map(({ confidence }) => confidence);
  const isRight = classes.map((index, row) => index === labels[row]);
  return {
    outliers: outlierThreshold(outlierScores),
    confidence: confidenceThreshold(confidences, isRight),
    reference: answerReference(classes, confidences),
  };
}

/** The lowest score that at least `PASSING_SHARE` of the images do not exceed. */
function outlierThreshold(scores: Float32Array): Trust['outliers'] {
  const ascending = scores.toSorted();
  const threshold = ascending[Math.ceil(PASSING_SHARE * scores.length) - 1] ?? 0;
  return { threshold, passRate: scores.filter((score) => score <= threshold).length / scores.length };
}

/**
 * The lowest confidence with which the answers that are not below it are right as often as `TARGET_ACCURACY` (selective
 * classification, arXiv 1705.08500): where a network is good enough, none is below it; where no confidence will do, all are.
 */
function confidenceThreshold(confidences: readonly number[], isRight: readonly boolean[]): Trust['confidence'] {
  const count = confidences.length;
  const ascending = [...confidences.keys()].sort((a, b) => (confidences[a] ?? 0) - (confidences[b] ?? 0));
  let right = isRight.filter(Boolean).length;
  for (const [below, row] of ascending.entries()) {
    const threshold = confidences[row] ?? 0;
    // Of equal confidences all are below a threshold, or none is.
    const isFirst = below === 0 || confidences[ascending[below - 1] ?? 0] !== threshold;
    const accuracy = right / (count - below);
    if (isFirst && accuracy >= TARGET_ACCURACY) {
      const lowest = below === 0 ? 0 : threshold;
      return { threshold: lowest, targetAccuracy: TARGET_ACCURACY, accuracy, passRate: (count - below) / count };
    }
    right -= isRight[row] ? 1 : 0;
  }
  return { threshold: 1, targetAccuracy: TARGET_ACCURACY, ...passing(confidences, isRight) };
}

/** Whoever is entirely sure is not below 1. */
function passing(confidences: readonly number[], isRight: readonly boolean[]) {
  const rows = [...confidences.keys()].filter((row) => confidences[row] === 1);
  const right = rows.filter((row) => isRight[row]).length;
  return { accuracy: rows.length === 0 ? null : right / rows.length, passRate: rows.length / confidences.length };
}

function answerReference(classes: readonly number[], confidences: readonly number[]): AnswerReference {
  const count = classes.length;
  const ascending = confidences.toSorted((a, b) => a - b);
  const quantiles = Array.from(
    { length: CONFIDENCE_BINS - 1 },
    (_, index) => ascending[Math.floor(((index + 1) * count) / CONFIDENCE_BINS)] ?? 0,
  );
  const confidenceEdges = [...new Set(quantiles)];
  const counts = new Array<number>(confidenceEdges.length + 1).fill(0);
  for (const confidence of confidences) {
    const bin = confidenceEdges.filter((edge) => edge <= confidence).length;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return {
    count,
    classShares: Array.from(
      { length: CLASS_COUNT },
      (_, index) => classes.filter((each) => each === index).length / count,
    ),
    confidenceEdges,
    confidenceShares: counts.map((each) => each / count),
  };
}
