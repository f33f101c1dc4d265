import { CLASS_COUNT, DomainError, type GoldenVectors, PIXELS_PER_IMAGE } from '@atelier/domain';

/** The golden images, [count, 28, 28] uint8; `golden-mismatch` where one has another size. */
export function decodeGoldenImages({ images }: GoldenVectors): Uint8Array {
  const files = images.map((image) => Buffer.from(image, 'base64'));
  files.forEach(({ length }, row) => {
    if (length === PIXELS_PER_IMAGE) return;
    throw new DomainError('golden-mismatch', `Golden image ${row} has ${length} bytes; expected ${PIXELS_PER_IMAGE}.`);
  });
  return Buffer.concat(files);
}

/**
 * An outlier score is a difference of sums of squares, in which what is rounded otherwise on another device grows; of so many
 * tolerances, a hundredth of the score, no judgement of an outlier depends.
 */
const SCORE_TOLERANCES = 100;

/** What a model computed of the golden images. */
export interface GoldenAnswers {
  /** [count, 10] */
  probabilities: Float32Array;
  /** [count], where the model gives them. */
  outlierScores?: Float32Array | undefined;
}

/** Compares what was computed with the manifest; `golden-mismatch` says where they part. */
export function checkGolden({ probabilities, outlierScores }: GoldenAnswers, golden: GoldenVectors): void {
  checkProbabilities(probabilities, golden);
  golden.outlierScores?.forEach((expected, row) => {
    const found = outlierScores?.[row] ?? NaN;
    const allowed = SCORE_TOLERANCES * golden.tolerance * Math.max(1, Math.abs(expected));
    if (Math.abs(found - expected) <= allowed) return;
    throw new DomainError(
      'golden-mismatch',
      `Golden image ${row}: outlier score ${found}; the manifest says ${expected} within ${allowed}.`,
    );
  });
}

function checkProbabilities(computed: Float32Array, golden: GoldenVectors): void {
  golden.probabilities.forEach((expectedRow, row) => {
    expectedRow.forEach((expected, classIndex) => {
      const found = computed[row * CLASS_COUNT + classIndex] ?? NaN;
      if (Math.abs(found - expected) <= golden.tolerance) return;
      throw new DomainError(
        'golden-mismatch',
        `Golden image ${row}, class ${classIndex}: probability ${found}; ` +
          `the manifest says ${expected} within ${golden.tolerance}.`,
      );
    });
  });
}
