import { CLASS_NAMES, classificationMetrics, MANIFEST_VERSION, type SplitMetrics } from '@atelier/domain';
import { type Dataset, type Examples, select } from '@atelier/fashion-mnist';
import type { VersionContent } from '@atelier/model-repository';
import type { FitResult } from '../fit.ts';
import { layersModel } from '../network/layers-model.ts';
import type { BegunRun } from '../runs/run.ts';
import { computingSoftware } from '../software-versions.ts';
import type { TrainingEngine } from '../training-engine.ts';
import type { TrainingData } from '../training-examples.ts';
import { fitTrust } from '../trust/fit-trust.ts';
import { goldenVectors } from './golden.ts';
import { layersModelFiles } from './layers-model-files.ts';
import { OnnxModel } from './onnx-model.ts';
import { proveParity } from './parity.ts';
import { publishedModel } from './published-model.ts';

export type ExportedModel = Required<VersionContent>;

/**
 * Turns what the engine holds into everything a version consists of: converts it, calibrates it, proves on every test image
 * that the graph computes what was trained, and measures the graph itself, because the graph is what will be served.
 */
export async function exportModel(
  engine: TrainingEngine,
  { run, fitted, data, dataset }: { run: BegunRun; fitted: FitResult; data: TrainingData; dataset: Dataset },
): Promise<ExportedModel> {
  const artifacts = layersModel(run.recipe, await engine.snapshot());
  // Nothing that differs between two runs of one recipe: the same training gives the same bytes.
  const published = publishedModel(artifacts, { recipe: run.recipe.name, data: run.data.digest });
  const train = select(data.examples, data.train);
  const validation = select(data.examples, data.validation);
  const { model, temperature, trust } = await fitTrust(published, { train, validation });
  return OnnxModel.using(model, async (graph) => {
    const test = await graph.predict(dataset.test.images);
    const parity = proveParity(await engine.logits(dataset.test), test, temperature);
    const measure = async (examples: Examples): Promise<SplitMetrics> =>
      classificationMetrics((await graph.predict(examples.images)).probabilities, examples.labels);
    const seconds = fitted.history.reduce((sum, epoch) => sum + epoch.seconds, 0);
    return {
      model,
      files: layersModelFiles(artifacts),
      manifest: {
        manifestVersion: MANIFEST_VERSION,
        createdAt: new Date().toISOString(),
        classes: [...CLASS_NAMES],
        recipe: run.recipe,
        training: {
          run: run.id,
          engine: run.engine.name,
          device: run.engine.device,
          reason: run.engine.reason,
          ...(run.source && { source: run.source }),
          epochs: fitted.history.length,
          bestEpoch: fitted.bestEpoch,
          seconds,
          imagesPerSecond: (data.train.length * fitted.history.length) / seconds,
        },
        data: { name: 'fashion-mnist', digest: run.data.digest, limit: run.data.limit },
        metrics: {
          train: await measure(train),
          validation: await measure(validation),
          test: classificationMetrics(test.probabilities, dataset.test.labels),
        },
        parity,
        golden: await goldenVectors(graph),
        temperature,
        trust,
        software: { ...computingSoftware(run.engine.name), node: process.versions.node },
      },
    };
  });
}
