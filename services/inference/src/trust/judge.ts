import { type Manifest, mostProbable, type Trust } from '@atelier/domain';
import type { Judgement } from '../contract/predict.ts';
import type { Outputs } from '../predictor/predictor.ts';

/** Judges one answer by the thresholds of the manifest; `confidence` is 0 to 1. */
export function judge(trust: Trust, confidence: number, outlierScore: number): Judgement {
  const lowConfidence = confidence < trust.confidence.threshold;
  return { lowConfidence, outlierScore, abstain: lowConfidence || outlierScore > trust.outliers.threshold };
}

/** A judgement for each image of `outputs`; undefined where the version has no thresholds: it never abstains. */
export function judgeAll({ trust }: Pick<Manifest, 'trust'>, outputs: Outputs): Judgement[] | undefined {
  const { probabilities, outlierScores } = outputs;
  if (trust === undefined || outlierScores === undefined) return undefined;
  return Array.from(outlierScores, (outlierScore, row) =>
    judge(trust, mostProbable(probabilities, row).confidence, outlierScore),
  );
}
