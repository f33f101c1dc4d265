import type { Matrix } from 'ml-matrix';
import type { FeatureStatistics } from './feature-statistics.ts';
import { eigenpairs, principalDirections } from './principal-directions.ts';

/** Directions that are kept of the features: with 32 digits are told apart less well, with 128 nothing is. */
const DIRECTIONS = 64;

/** Variances below this share of the largest are rounding, or of units that never fire. */
const SMALLEST_VARIANCE = 1e-7;

/** Of the mean squared length of the features: keeps the share of next to nothing, such as a black image, a number. */
const LENGTH_FLOOR = 0.01;

/**
 * What tells images apart from those of the training, from the features before the last layer; matrices by columns for
 * row vectors, as graphs have them. See docs/adr/0024.
 */
export interface OutlierDetector {
  /** [width] */
  mean: number[];
  /** [width, directions]: principal directions of the training images, orthonormal. */
  directions: Matrix;
  /**
   * [directions, discriminants]: from there to the directions in which the classes differ most, so scaled that the images of
   * a class have the variance 1 in each.
   */
  discriminants: Matrix;
  /** [classes, discriminants]: where the classes are. */
  classMeans: Matrix;
  /** [discriminants]: the variance of the images of a class as a share of that of all images, 0 to 1. */
  withinShares: number[];
  /** Added to the squared length of the features. */
  lengthFloor: number;
}

export function fittedDetector({
  mean,
  covariance,
  classMeans,
  classShares,
  energy,
}: FeatureStatistics): OutlierDetector {
  const { directions, variances } = principalDirections(covariance, DIRECTIONS);
  const scales = variances.map((variance) =>
    variance > SMALLEST_VARIANCE * (variances[0] ?? 0) ? 1 / Math.sqrt(variance) : 0,
  );
  // In the principal directions, each scaled to the variance 1: there the classes' own variance is what theirs is less
  // than all. Its eigenvectors with the least of it are Fisher's discriminants, as many as there are classes but one.
  const whitened = directions.clone().mulRowVector(scales);
  const means = classMeans.clone().subRowVector(mean).mmul(whitened);
  const between = means
    .clone()
    .mulColumnVector([...classShares])
    .transpose()
    .mmul(means);
  const { values, vectors } = eigenpairs(between);
  const count = Math.max(1, Math.min(classShares.length - 1, values.length));
  const withinShares = values.slice(0, count).map((share) => Math.min(1, Math.max(SMALLEST_VARIANCE, 1 - share)));
  const scaled = vectors
    .subMatrix(0, vectors.rows - 1, 0, count - 1)
    .mulRowVector(withinShares.map((share) => 1 / Math.sqrt(share)));
  return {
    mean,
    directions,
    discriminants: scaled.clone().mulColumnVector(scales),
    classMeans: means.mmul(scaled),
    withinShares,
    lengthFloor: energy > 0 ? LENGTH_FLOOR * energy : 1, // 0 where no unit ever fires
  };
}
