import { CLASS_COUNT, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Examples } from '@atelier/fashion-mnist';
import { encodeModel, int, node, type OnnxModel as OnnxFile, value } from '@atelier/onnx';
import { Matrix } from 'ml-matrix';
import { OnnxModel } from '../export/onnx-model.ts';

/** A value of a graph with a row for each image: [batch, width]. */
export interface Features {
  name: string;
  width: number;
}

/** What is known of the features of training images. */
export interface FeatureStatistics {
  /** [width] */
  mean: number[];
  /** [width, width] */
  covariance: Matrix;
  /** Mean of each class that has images [classes, width], and its share of all. */
  classMeans: Matrix;
  classShares: number[];
  /** Mean of the squared lengths. */
  energy: number;
}

/** Rows that the runtime multiplies at once. */
const ROWS_PER_RUN = 1000;

/**
 * The statistics of `features`, a value of `graph`, over `examples`. The products, a hundred billion of them for 1,024
 * features, are a node of the graph: the runtime uses every core for them.
 */
export async function featureStatistics(
  graph: OnnxFile,
  { name, width }: Features,
  examples: Examples,
): Promise<FeatureStatistics> {
  const products = Matrix.zeros(width, width);
  const sums = Matrix.zeros(CLASS_COUNT, width);
  const counts = new Array<number>(CLASS_COUNT).fill(0);
  await OnnxModel.using(encodeModel(withProducts(graph, { name, width })), async (model) => {
    for (let start = 0; start < examples.count; start += ROWS_PER_RUN) {
      const end = Math.min(examples.count, start + ROWS_PER_RUN);
      const pixels = examples.images.subarray(start * PIXELS_PER_IMAGE, end * PIXELS_PER_IMAGE);
      const { [name]: rows = [], [PRODUCTS]: ofRows = [] } = await model.run(pixels, [name, PRODUCTS]);
      add(products, ofRows);
      for (let row = start; row < end; row++) {
        const label = examples.labels[row] ?? 0;
        counts[label] = (counts[label] ?? 0) + 1;
        const first = (row - start) * width;
        for (let column = 0; column < width; column++) {
          sums.set(label, column, sums.get(label, column) + (rows[first + column] ?? 0));
        }
      }
    }
  });
  return statisticsOf(products, sums, counts);
}

/** Of the features with themselves, summed over the images: [width, width]. */
const PRODUCTS = 'feature_products';

function withProducts({ graph, ...file }: OnnxFile, { name, width }: Features): OnnxFile {
  return {
    ...file,
    graph: {
      ...graph,
      nodes: [...graph.nodes, node('Gemm', [name, name], PRODUCTS, { transA: int(1) })],
      outputs: [value(name, 'float32', ['batch', width]), value(PRODUCTS, 'float32', [width, width])],
    },
  };
}

function add(total: Matrix, values: ArrayLike<number>): void {
  for (let row = 0; row < total.rows; row++) {
    for (let column = 0; column < total.columns; column++) {
      total.set(row, column, total.get(row, column) + (values[row * total.columns + column] ?? 0));
    }
  }
}

/** From sums over the images: of products [width, width], of the features by class [10, width]. */
export function statisticsOf(products: Matrix, sums: Matrix, counts: readonly number[]): FeatureStatistics {
  const count = counts.reduce((total, each) => total + each, 0);
  const mean = sums.sum('column').map((sum) => sum / count);
  const covariance = products.clone().div(count);
  const energy = covariance.trace();
  covariance.sub(Matrix.columnVector(mean).mmul(Matrix.rowVector(mean)));
  const classes = [...counts.keys()].filter((index) => (counts[index] ?? 0) > 0);
  return {
    mean,
    covariance,
    classMeans: sums.subMatrixRow(classes).divColumnVector(classes.map((index) => counts[index] ?? 1)),
    classShares: classes.map((index) => (counts[index] ?? 0) / count),
    energy,
  };
}
