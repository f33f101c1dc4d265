import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { classificationMetrics, DomainError, type Manifest, type SplitMetrics } from '@atelier/domain';
import { type Dataset, type Examples, select } from '@atelier/fashion-mnist';
import {
  MANIFEST_FILE,
  MODEL_FILE,
  type PublishedVersion,
  publishVersion,
  readModel,
  type VersionContent,
} from '@atelier/model-repository';
import { decodeModel, encodeModel } from '@atelier/onnx';
import { goldenVectors } from '../export/golden.ts';
import { OnnxModel } from '../export/onnx-model.ts';
import { proveParity } from '../export/parity.ts';
import { trainingData } from '../training-data.ts';
import { requireWritable } from '../writable-folder.ts';
import { fitTrust, logitsOf } from './fit-trust.ts';

/**
 * Publishes, under `modelsDirectory`, the next version of the same name with the same weights and this project's present way
 * to say when not to believe it: temperature, outlier scores and thresholds, fitted anew on the recipe's split. Rejects with
 * `dataset-mismatch` where the version was trained on other data, `digest-mismatch`, and `parity-failed` where the logits
 * would not stay what they are.
 */
export async function recalibrate(
  version: PublishedVersion,
  dataset: Dataset,
  modelsDirectory: string,
): Promise<PublishedVersion> {
  const { name, manifest } = version;
  if (dataset.digest !== manifest.data.digest) {
    throw new DomainError(
      'dataset-mismatch',
      `${name}/${version.version} was trained on data with digest ${manifest.data.digest}; that in ${dataset.source} has ${dataset.digest}.`,
    );
  }
  await requireWritable(join(modelsDirectory, name), 'MODELS_DIR');
  return publishVersion(modelsDirectory, name, await recalibrated(version, dataset));
}

async function recalibrated(version: PublishedVersion, dataset: Dataset): Promise<VersionContent> {
  const before = decodeModel(await readModel(version), join(version.directory, MODEL_FILE));
  const { manifest } = version;
  const data = trainingData(dataset, manifest.recipe, manifest.data.limit);
  const train = select(data.examples, data.train);
  const validation = select(data.examples, data.validation);
  const { model, temperature, trust } = await fitTrust(before, { train, validation });
  const trained = await logitsOf(encodeModel(before), dataset.test.images);
  return OnnxModel.using(model, async (graph) => {
    const test = await graph.predict(dataset.test.images);
    const measure = async ({ images, labels }: Examples): Promise<SplitMetrics> =>
      classificationMetrics((await graph.predict(images)).probabilities, labels);
    return {
      model,
      files: await otherFiles(version.directory),
      manifest: {
        ...manifest,
        createdAt: new Date().toISOString(),
        metrics: {
          train: await measure(train),
          validation: await measure(validation),
          test: classificationMetrics(test.probabilities, dataset.test.labels),
        },
        parity: joinedParity(manifest.parity, proveParity(trained, test, temperature)),
        golden: await goldenVectors(graph),
        temperature,
        trust,
        recalibrated: { version: version.version, digest: manifest.digest },
      },
    };
  });
}

/** From what was trained to the version that was, and from there to this one: the differences add up at most. */
function joinedParity(before: Manifest['parity'], now: Manifest['parity']): Manifest['parity'] {
  return {
    ...now,
    maximumDifference: before.maximumDifference + now.maximumDifference,
    maximumLogitDifference: before.maximumLogitDifference + now.maximumLogitDifference,
  };
}

/** What a version has beside its model and its manifest, by path. */
async function otherFiles(directory: string): Promise<Record<string, Uint8Array>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(directory, join(parentPath, name)))
    .filter((path) => path !== MODEL_FILE && path !== MANIFEST_FILE);
  const files = paths.map(async (path) => [path, await readFile(join(directory, path))] as const);
  return Object.fromEntries(await Promise.all(files));
}
