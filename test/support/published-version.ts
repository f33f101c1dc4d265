import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CLASS_COUNT,
  CLASS_NAMES,
  classificationMetrics,
  type Manifest,
  MAXIMUM_PIXEL,
  OUTLIER_SCORE,
  PIXELS_PER_IMAGE,
  type Trust,
} from '@atelier/domain';
import { publishVersion, type PublishedVersion, type VersionContent } from '@atelier/model-repository';
import { encodeModel, float32Tensor, int, ints, model, node, type OnnxNode, value } from '@atelier/onnx';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { smallRecipe } from './small-recipe.ts';

/** The pixel whose brightness makes a classifier with an `overflow` compute infinity, and so no probabilities. */
export const OVERFLOWING_PIXEL = 0;

export interface ClassifierOptions {
  seed?: number;
  overflow?: boolean;
  /** What the manifest says of trust; the graph then gives the mean brightness of an image, 0 to 1, as its outlier score. */
  trust?: Trust;
  /** Has an operator that onnxruntime's WebGPU provider lacks and that has no gradient, and computes the same. */
  beyondWebgpu?: boolean;
  /** [784, 10]. Default: drawn with the seed. */
  weights?: Float32Array;
}

/** A classifier without hidden layers, as a published graph and as plain arithmetic to hold the graph against. */
export interface TinyClassifier {
  onnx: Uint8Array;
  /** Probabilities [10] of an image [28, 28]. */
  probabilities: (image: Uint8Array) => number[];
  /** Of an image [28, 28]: its mean brightness, 0 to 1. */
  outlierScore: (image: Uint8Array) => number;
}

/** One whose logits are an image times `weights` [784, 10]. */
export interface LinearClassifier extends TinyClassifier {
  weights: Float32Array;
}

export function tinyClassifier({
  seed = 1,
  overflow = false,
  beyondWebgpu = false,
  trust,
  weights = drawnWeights(seed),
}: ClassifierOptions = {}): LinearClassifier {
  if (overflow) weights[OVERFLOWING_PIXEL * CLASS_COUNT] = 3e38;
  const graph = {
    name: 'tiny',
    nodes: [
      node('Cast', ['image'], 'pixels', { to: int(1) }),
      node('Flatten', ['pixels'], 'row', { axis: int(1) }),
      node('MatMul', ['row', 'weights'], beyondWebgpu ? 'product' : 'logits'),
      ...(beyondWebgpu ? withHardmax('product', 'logits') : []),
      node('Softmax', ['logits'], 'probabilities', { axis: int(1) }),
      ...(trust === undefined ? [] : meanBrightness('row', OUTLIER_SCORE.name)),
    ],
    inputs: [value('image', 'uint8', ['batch', 28, 28])],
    outputs: [
      value('logits', 'float32', ['batch', CLASS_COUNT]),
      value('probabilities', 'float32', ['batch', CLASS_COUNT]),
      ...(trust === undefined ? [] : [value(OUTLIER_SCORE.name, 'float32', OUTLIER_SCORE.shape)]),
    ],
    initializers: [
      float32Tensor('weights', [PIXELS_PER_IMAGE, CLASS_COUNT], weights),
      ...(trust === undefined ? [] : [float32Tensor('brightest', [], Float32Array.of(MAXIMUM_PIXEL))]),
    ],
    values: [],
  };
  return {
    onnx: encodeModel(model(graph)),
    weights,
    probabilities(image) {
      const logits = CLASS_NAMES.map((_name, index) =>
        image.reduce((sum, pixel, place) => sum + pixel * (weights[place * CLASS_COUNT + index] ?? NaN), 0),
      );
      const largest = Math.max(...logits);
      const exponentials = logits.map((logit) => Math.exp(logit - largest));
      const total = exponentials.reduce((sum, term) => sum + term, 0);
      return exponentials.map((term) => term / total);
    },
    outlierScore: (image) => image.reduce((sum, pixel) => sum + pixel, 0) / image.length / MAXIMUM_PIXEL,
  };
}

function meanBrightness(input: string, output: string): OnnxNode[] {
  return [
    node('ReduceMean', [input], 'mean', { axes: ints([1]), keepdims: int(0) }),
    node('Div', ['mean', 'brightest'], output),
  ];
}

/** A thousandth at most: 784 pixels of 255 then give logits of a few units. */
function drawnWeights(seed: number): Float32Array {
  const generator = xoroshiro128plus(seed);
  return Float32Array.from({ length: PIXELS_PER_IMAGE * CLASS_COUNT }, () => uniformInt(generator, -1000, 1000) / 1e6);
}

/** Adds nothing to `input`, by way of an operator that is for the CPU only. */
function withHardmax(input: string, output: string): OnnxNode[] {
  return [
    node('Hardmax', [input], 'largest'),
    node('Sub', ['largest', 'largest'], 'nothing'),
    node('Add', [input, 'nothing'], output),
  ];
}

/** Content of a valid version around a tiny classifier. */
export function versionContent(options: ClassifierOptions = {}): VersionContent & { manifest: ManifestSource } {
  const { onnx, probabilities, outlierScore } = tinyClassifier(options);
  const { trust } = options;
  const golden = [randomImage(101, 0), randomImage(102, 0)];
  const perfect = new Float32Array(CLASS_COUNT ** 2).map((_, place) => (place % (CLASS_COUNT + 1) === 0 ? 1 : 0));
  const metrics = classificationMetrics(perfect, Uint8Array.from(CLASS_NAMES.keys()));
  return {
    model: onnx,
    manifest: {
      manifestVersion: 1,
      createdAt: '2026-01-01T00:00:00.000Z',
      classes: [...CLASS_NAMES],
      recipe: smallRecipe(),
      training: {
        run: 'test',
        engine: 'tfjs',
        device: 'none',
        epochs: 1,
        bestEpoch: 1,
        seconds: 1,
        imagesPerSecond: 1,
      },
      data: { name: 'fashion-mnist', digest: `sha256:${'0'.repeat(64)}`, limit: null },
      metrics: { train: metrics, validation: metrics, test: metrics },
      parity: { images: 2, maximumDifference: 0, maximumLogitDifference: 0, tolerance: 1e-5 },
      golden: {
        images: golden.map((image) => Buffer.from(image).toString('base64')),
        probabilities: golden.map(probabilities),
        ...(trust && { outlierScores: golden.map(outlierScore) }),
        tolerance: 1e-4,
      },
      temperature: 1,
      ...(trust && { trust }),
      software: {},
    },
  };
}
export type ManifestSource = Omit<Manifest, 'name' | 'version' | 'digest' | 'sizeBytes'>;

/** Publishes a tiny classifier as the next version of `fashion-mlp` under `root`. */
export function publishTiny(root: string, options: ClassifierOptions = {}): Promise<PublishedVersion> {
  return publishVersion(root, 'fashion-mlp', versionContent(options));
}

/** Flips a bit in the middle of a published model, so that it is no longer what its manifest describes. */
export async function damageModel({ directory }: PublishedVersion): Promise<void> {
  const path = join(directory, 'model.onnx');
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** An image [28, 28] of noise with `first` as its first pixel. */
export function randomImage(seed: number, first = 0): Uint8Array {
  const generator = xoroshiro128plus(seed);
  const image = Uint8Array.from({ length: PIXELS_PER_IMAGE }, () => uniformInt(generator, 0, 255));
  image[OVERFLOWING_PIXEL] = first;
  return image;
}
