import { EigenvalueDecomposition, Matrix, QrDecomposition } from 'ml-matrix';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** More columns than are wanted, for a sharper end of the spectrum (arXiv 0909.4061, section 4.5). */
const OVERSAMPLING = 16;
/** The variances of features fall quickly; the article does with one or two. */
const ITERATIONS = 4;

export interface PrincipalDirections {
  /** [size, count], orthonormal columns, that with the largest variance first. */
  directions: Matrix;
  /** [count], descending, not negative. */
  variances: number[];
}

/**
 * The directions with the largest variances of a covariance [size, size], `count` of them or as many as there are, by
 * subspace iteration: all eigenvectors of 1,024 features would take ten times as long. The same on every run.
 */
export function principalDirections(covariance: Matrix, count: number): PrincipalDirections {
  const size = covariance.rows;
  const wanted = Math.min(size, count);
  const generator = xoroshiro128plus(1);
  const drawn = () => uniformFloat64(generator) - 0.5;
  let basis = Matrix.zeros(size, Math.min(size, wanted + OVERSAMPLING)).apply(function (row, column) {
    this.set(row, column, drawn());
  });
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    basis = new QrDecomposition(covariance.mmul(basis)).orthogonalMatrix;
  }
  const projected = basis.transpose().mmul(covariance.mmul(basis));
  const { values, vectors } = eigenpairs(projected);
  const largest = values.slice(0, wanted);
  return {
    directions: basis.mmul(vectors.subMatrix(0, vectors.rows - 1, 0, wanted - 1)),
    variances: largest.map((value) => Math.max(0, value)),
  };
}

/** Eigenvalues of a symmetric matrix in descending order, and their vectors as columns. */
export function eigenpairs(symmetric: Matrix): { values: number[]; vectors: Matrix } {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true });
  const order = [...realEigenvalues.keys()].sort((a, b) => (realEigenvalues[b] ?? 0) - (realEigenvalues[a] ?? 0));
  return {
    values: order.map((index) => realEigenvalues[index] ?? 0),
    vectors: eigenvectorMatrix.subMatrixColumn(order),
  };
}
