/** Equal bins of the top probability, as in arXiv 1706.04599. */
export const CALIBRATION_BINS = 15;

/** Predictions whose top probability, the confidence, lies in one of the bins. */
export interface CalibrationBin {
  /** Share from which the bin reaches, included. */
  lower: number;
  /** To which it reaches, excluded; the last includes 1. */
  upper: number;
  count: number;
  /** Sum of the confidences. */
  confidence: number;
  /** How many of them are right. */
  correct: number;
}

/** The bins of a reliability diagram, all of them, the lowest first, and nothing in them. */
export function emptyCalibrationBins(): CalibrationBin[] {
  return Array.from({ length: CALIBRATION_BINS }, (_, index) => ({
    lower: index / CALIBRATION_BINS,
    upper: (index + 1) / CALIBRATION_BINS,
    count: 0,
    confidence: 0,
    correct: 0,
  }));
}

/** Counts a prediction in its bin. A confidence outside 0 to 1, and NaN, is a `RangeError`. */
export function countInBin(bins: readonly CalibrationBin[], confidence: number, isRight: boolean): void {
  const bin = bins[Math.min(CALIBRATION_BINS - 1, Math.floor(confidence * CALIBRATION_BINS))];
  if (bin === undefined) throw new RangeError(`Confidence ${confidence}; expected 0 to 1.`);
  bin.count++;
  bin.confidence += confidence;
  bin.correct += isRight ? 1 : 0;
}

/** The expected calibration error: how far confidence and accuracy are apart, 0 to 1, as a mean over the predictions. */
export function calibrationError(bins: readonly CalibrationBin[]): number {
  const count = bins.reduce((sum, bin) => sum + bin.count, 0);
  return bins.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.correct), 0) / count;
}
