import { CLASS_COUNT, type Manifest } from '@atelier/domain';
import { type Examples, slice } from '@atelier/fashion-mnist';
import { encodeModel, type OnnxModel as OnnxFile } from '@atelier/onnx';
import { subgraph } from '@atelier/onnx-training';
import { OnnxModel } from '../export/onnx-model.ts';
import { denseLayers } from '../report/network.ts';
import { type Features, featureStatistics } from './feature-statistics.ts';
import { fittedDetector } from './outlier-detector.ts';
import { fittedTemperature } from './temperature.ts';
import { fittedTrust } from './thresholds.ts';
import { type ScoreScale, SCORE_PARTS, withScoreParts, withTrust } from './trust-nodes.ts';

/** The covariance of 1,024 features is known well enough after so many images. */
const STATISTICS_IMAGES = 20_000;

/** A published graph that says when not to believe it, and what its manifest says of that. */
export interface TrustedModel {
  model: Uint8Array;
  temperature: number;
  trust: NonNullable<Manifest['trust']>;
}

/**
 * Calibrates a published graph: its outlier detector knows the training images, its temperature and thresholds are fitted
 * on the validation images, which neither the network nor the detector has seen. The logits stay what they are.
 */
export async function fitTrust(
  published: OnnxFile,
  { train, validation }: { train: Examples; validation: Examples },
): Promise<TrustedModel> {
  const features = lastFeatures(published);
  const known = slice(train, 0, Math.min(train.count, STATISTICS_IMAGES));
  const detector = fittedDetector(await featureStatistics(published, features, known));
  const temperature = fittedTemperature(await logitsOf(encodeModel(published), validation.images), validation.labels);
  const unscaled = { features: features.name, detector, scale: { weights: [1, 1], offset: 0 } as ScoreScale };
  const scale = await fittedScale(withTrust(published, { temperature, outliers: unscaled }), validation);
  const model = encodeModel(withTrust(published, { temperature, outliers: { ...unscaled, scale } }));
  return { model, temperature, trust: await trustOf(model, validation) };
}

/** What the last layer, which gives the logits, reads. */
function lastFeatures(published: OnnxFile): Features {
  const last = denseLayers(subgraph(published.graph, ['logits'])).at(-1);
  if (last?.units !== CLASS_COUNT) throw new RangeError('The network does not end in a dense layer of ten units.');
  return { name: last.input, width: last.inputs };
}

/** Those of a published graph to images [count, 28, 28]: [count, 10]. */
export function logitsOf(model: Uint8Array, images: Uint8Array): Promise<Float32Array> {
  return OnnxModel.using(model, async (graph) => (await graph.outputs(images, { logits: CLASS_COUNT })).logits);
}

/** Each part of the score has the mean 0 and the variance 1 on the validation images, so that both count as much. */
async function fittedScale(unscaled: OnnxFile, { images }: Examples): Promise<ScoreScale> {
  const [distance, share] = SCORE_PARTS;
  const parts = await OnnxModel.using(encodeModel(withScoreParts(unscaled)), (graph) =>
    graph.outputs(images, { [distance]: 1, [share]: 1 }),
  );
  const first = moments(parts[distance]);
  const second = moments(parts[share]);
  return {
    weights: [1 / first.deviation, 1 / second.deviation],
    offset: -first.mean / first.deviation - second.mean / second.deviation,
  };
}

/** The deviation of what never differs counts as 1. */
function moments(values: Float32Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const smallest = 1e-6 * (1 + Math.abs(mean)); // float32 has no more digits
  return { mean, deviation: Math.sqrt(variance) > smallest ? Math.sqrt(variance) : 1 };
}

async function trustOf(model: Uint8Array, { images, labels }: Examples): Promise<TrustedModel['trust']> {
  const { probabilities, outlierScores } = await OnnxModel.using(model, (graph) => graph.predict(images));
  if (outlierScores === undefined) throw new RangeError('The graph gives no outlier scores.');
  return fittedTrust({ probabilities, outlierScores, labels });
}
