import {
  calibrationBins,
  calibrationError,
  classificationMetrics,
  CLASS_COUNT,
  DomainError,
  PIXELS_PER_IMAGE,
  type Trust,
} from '@atelier/domain';
import type { Examples } from '@atelier/fashion-mnist';
import { type Judgement, judgeAll, type Outputs, type Predictor } from '@atelier/inference';
import { drawnOutliers, OUTLIER_KINDS } from './outlier-kinds.ts';
import { areaUnderRoc } from './roc.ts';
import type { TrustResults } from './trust-results.ts';

const ROWS_PER_BATCH = 256;

/** What a version said of some images. */
interface Answers {
  outputs: Outputs;
  judgements: readonly Judgement[];
  scores: Float32Array;
}

/**
 * Measures how well a version knows when not to believe itself, on the test images and on `count` drawn outliers of each
 * kind. `model-not-found` for a version that has no thresholds.
 */
export async function measureTrust(
  predictor: Predictor,
  test: Examples,
  { count, seed }: { count: number; seed: number },
): Promise<Omit<TrustResults, 'writtenAt'>> {
  const { name, version, manifest } = predictor.version;
  const { trust } = manifest;
  if (trust === undefined) {
    throw new DomainError(
      'model-not-found',
      `${name}/${version} has no thresholds; npm run recalibrate makes a version that has.`,
    );
  }
  const garments = await answersOf(predictor, test.images);
  const outliers: TrustResults['outliers'] = [];
  for (const kind of OUTLIER_KINDS) {
    const answers = await answersOf(predictor, await drawnOutliers(kind, count, seed));
    outliers.push({
      name: kind.name,
      title: kind.title,
      count,
      area: areaUnderRoc(garments.scores, answers.scores),
      flagged: shareOf(answers.judgements, ({ outlierScore }) => isOutlier(trust, outlierScore)),
      abstained: shareOf(answers.judgements, ({ abstain }) => abstain),
    });
  }
  return {
    seed,
    model: { name, version, digest: manifest.digest },
    temperature: manifest.temperature,
    calibrationError: calibrationErrors(garments.outputs, test.labels),
    garments: describedGarments(garments, test.labels, trust),
    thresholds: { outlierScore: trust.outliers.threshold, confidence: trust.confidence.threshold },
    outliers,
  };
}

function describedGarments(
  { outputs, judgements }: Answers,
  labels: Uint8Array,
  trust: Trust,
): TrustResults['garments'] {
  const kept = [...judgements.keys()].filter((row) => judgements[row]?.abstain === false);
  const probabilities = Float32Array.from(
    kept.flatMap((row) => [...outputs.probabilities.subarray(row * CLASS_COUNT, (row + 1) * CLASS_COUNT)]),
  );
  const keptLabels = Uint8Array.from(kept, (row) => labels[row] ?? 0);
  return {
    count: labels.length,
    accuracy: classificationMetrics(outputs.probabilities, labels).accuracy,
    pass: shareOf(judgements, ({ outlierScore }) => !isOutlier(trust, outlierScore)),
    lowConfidence: shareOf(judgements, ({ lowConfidence }) => lowConfidence),
    abstained: shareOf(judgements, ({ abstain }) => abstain),
    accuracyOfOthers: classificationMetrics(probabilities, keptLabels).accuracy,
  };
}

function isOutlier({ outliers }: Trust, score: number): boolean {
  return score > outliers.threshold;
}

function shareOf<T>(values: readonly T[], isCounted: (value: T) => boolean): number {
  return values.filter(isCounted).length / values.length;
}

/** With the softmax of the logits as they are, and with the probabilities. */
function calibrationErrors({ logits, probabilities }: Outputs, labels: Uint8Array): TrustResults['calibrationError'] {
  const errorOf = (rows: Float32Array) => calibrationError(calibrationBins(rows, labels));
  return { uncalibrated: errorOf(softmaxOf(logits)), calibrated: errorOf(probabilities) };
}

function softmaxOf(logits: Float32Array): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += CLASS_COUNT) {
    const row = logits.subarray(start, start + CLASS_COUNT);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const weights = Float64Array.from(row, (logit) => Math.exp(logit - largest));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    probabilities.set(
      weights.map((weight) => weight / total),
      start,
    );
  }
  return probabilities;
}

async function answersOf(predictor: Predictor, images: Uint8Array): Promise<Answers> {
  const count = images.length / PIXELS_PER_IMAGE;
  const logits = new Float32Array(count * CLASS_COUNT);
  const probabilities = new Float32Array(count * CLASS_COUNT);
  const scores = new Float32Array(count);
  for (let row = 0; row < count; row += ROWS_PER_BATCH) {
    const batch = images.subarray(row * PIXELS_PER_IMAGE, (row + ROWS_PER_BATCH) * PIXELS_PER_IMAGE);
    const answered = await predictor.predict(batch, { priority: 'bulk' });
    logits.set(answered.logits, row * CLASS_COUNT);
    probabilities.set(answered.probabilities, row * CLASS_COUNT);
    scores.set(answered.outlierScores ?? [], row);
  }
  const outputs = { logits, probabilities, outlierScores: scores };
  return { outputs, scores, judgements: judgeAll(predictor.version.manifest, outputs) ?? [] };
}
