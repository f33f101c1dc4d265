import { OUTLIER_SCORE, PUBLISHED_GRAPH } from '@atelier/domain';
import {
  float32Scalar,
  float32Tensor,
  int,
  int64Vector,
  ints,
  node,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  value,
} from '@atelier/onnx';
import { subgraph } from '@atelier/onnx-training';
import type { Matrix } from 'ml-matrix';
import type { OutlierDetector } from './outlier-detector.ts';

/** How the two parts of the outlier score become one. */
export interface ScoreScale {
  /** What the relative distance and the residual share are multiplied by. */
  weights: readonly [number, number];
  /** Added to their sum. */
  offset: number;
}

/** The parts of the outlier score, each float32 [batch]. */
export const SCORE_PARTS = ['outlier/relative_distance', 'outlier/residual_share'] as const;

/** What is computed behind the logits. */
export interface TrustSettings {
  temperature: number;
  /** Null: no outlier score. */
  outliers: { features: string; detector: OutlierDetector; scale: ScoreScale } | null;
}

const [LOGITS, PROBABILITIES] = PUBLISHED_GRAPH.outputs;

/**
 * A published graph with calibrated probabilities and, where there is a detector, outlier scores; what it had behind its
 * logits before goes. Metadata says the temperature.
 */
export function withTrust(published: OnnxModel, { temperature, outliers }: TrustSettings): OnnxModel {
  const graph = subgraph(published.graph, [LOGITS.name]);
  const detection = outliers === null ? null : outlierNodes(outliers);
  return {
    ...published,
    metadata: { ...published.metadata, temperature: String(temperature) },
    graph: {
      ...graph,
      nodes: [...graph.nodes, ...softmax(temperature), ...(detection?.nodes ?? [])],
      initializers: [
        ...graph.initializers,
        ...(temperature === 1 ? [] : [float32Scalar(TEMPERATURE, temperature)]),
        ...(detection?.initializers ?? []),
      ],
      outputs: [...PUBLISHED_GRAPH.outputs, ...(detection === null ? [] : [OUTLIER_SCORE])],
    },
  };
}

/** `model` with the parts of its outlier score as its only outputs. */
export function withScoreParts({ graph, ...file }: OnnxModel): OnnxModel {
  const outputs = SCORE_PARTS.map((name) => value(name, 'float32', ['batch']));
  return { ...file, graph: subgraph({ ...graph, outputs }, SCORE_PARTS) };
}

const TEMPERATURE = 'probabilities/temperature';

function softmax(temperature: number): OnnxNode[] {
  if (temperature === 1) return [node('Softmax', [LOGITS.name], PROBABILITIES.name, { axis: int(-1) })];
  const scaled = 'probabilities/scaled_logits';
  return [
    node('Div', [LOGITS.name, TEMPERATURE], scaled),
    node('Softmax', [scaled], PROBABILITIES.name, { axis: int(-1) }),
  ];
}

/**
 * How far an image is from the nearest class, less how far it is from all training images together (relative Mahalanobis
 * distance, arXiv 2106.09022), and how much of its features lies in none of their principal directions (ViM, arXiv
 * 2203.10807), as a share; then both on one scale.
 */
function outlierNodes({ features, detector, scale }: NonNullable<TrustSettings['outliers']>): {
  nodes: OnnxNode[];
  initializers: OnnxTensor[];
} {
  const { mean, directions, discriminants, classMeans, withinShares, lengthFloor } = detector;
  const [distance, share] = SCORE_PARTS;
  const sumOfSquares = (input: string, name: string) => [
    node('Mul', [input, input], `${name}/squares`),
    node('ReduceSum', [`${name}/squares`, o('axis')], name, { keepdims: int(0) }),
  ];
  return {
    nodes: [
      node('Sub', [features, o('mean')], o('centred')),
      node('MatMul', [o('centred'), o('directions')], o('components')),
      node('MatMul', [o('components'), o('discriminants')], o('discriminated')),
      // |u - m|² - Σ w u² = (|m|² - 2 u·m) + Σ (1 - w) u², of which only the bracket knows the class.
      node('Gemm', [o('discriminated'), o('class_products'), o('class_lengths')], o('class_distances')),
      node('ReduceMin', [o('class_distances')], o('nearest'), { axes: ints([1]), keepdims: int(0) }),
      node('Mul', [o('discriminated'), o('between_scales')], o('between')),
      ...sumOfSquares(o('between'), o('between_length')),
      node('Add', [o('nearest'), o('between_length')], distance),

      ...sumOfSquares(o('centred'), o('length')),
      ...sumOfSquares(o('components'), o('explained')),
      node('Sub', [o('length'), o('explained')], o('residual')),
      ...sumOfSquares(features, o('energy')),
      node('Add', [o('energy'), o('length_floor')], o('floored_energy')),
      node('Div', [o('residual'), o('floored_energy')], share),

      node('Mul', [distance, o('distance_weight')], o('weighted_distance')),
      node('Mul', [share, o('share_weight')], o('weighted_share')),
      node('Add', [o('weighted_distance'), o('weighted_share')], o('weighted')),
      node('Add', [o('weighted'), o('offset')], OUTLIER_SCORE.name),
    ],
    initializers: [
      int64Vector(o('axis'), [1]),
      float32Tensor(o('mean'), [mean.length], mean),
      matrixTensor(o('directions'), directions),
      matrixTensor(o('discriminants'), discriminants),
      matrixTensor(o('class_products'), classMeans.transpose().mul(-2)),
      vectorTensor(
        o('class_lengths'),
        classMeans.to2DArray().map((row) => row.reduce((sum, each) => sum + each ** 2, 0)),
      ),
      vectorTensor(
        o('between_scales'),
        withinShares.map((within) => Math.sqrt(1 - within)),
      ),
      float32Scalar(o('length_floor'), lengthFloor),
      float32Scalar(o('distance_weight'), scale.weights[0]),
      float32Scalar(o('share_weight'), scale.weights[1]),
      float32Scalar(o('offset'), scale.offset),
    ],
  };
}

function o(name: string): string {
  return `outlier/${name}`;
}

function matrixTensor(name: string, matrix: Matrix): OnnxTensor {
  return float32Tensor(name, [matrix.rows, matrix.columns], matrix.to1DArray());
}

function vectorTensor(name: string, values: readonly number[]): OnnxTensor {
  return float32Tensor(name, [values.length], values);
}
