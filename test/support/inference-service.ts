import {
  buildApp,
  createFilesDecoder,
  type Engine,
  type EngineObserver,
  type InferenceConfig,
  type OpenEvaluation,
  OnlineTraffic,
  openEvaluation,
  InferenceMetrics,
  readConfig,
  type RepositoryModels,
  serveModels,
  startConfiguredEngine,
  type TrafficObserver,
} from '@atelier/inference';
import type { PublishedVersion } from '@atelier/model-repository';
import type { Express } from 'express';
import { type RecordedLog, recordedLog } from './recorded-log.ts';

export interface InferenceUnderTest extends RecordedLog {
  app: Express;
  model: RepositoryModels;
  engine: Engine;
  evaluation: OpenEvaluation;
  metrics: InferenceMetrics;
  close(): Promise<void>;
}

/** What a test may have in its own way. */
export interface InferenceOptions {
  /** The compute process, when it is not the project's own. */
  entry?: URL;
  observer?: EngineObserver;
  watch?: boolean;
  traffic?: TrafficObserver;
}

/** The inference application over the versions in `root`, with its compute process, without a port; what is to be served is. */
export async function openInference(
  root: string,
  change: Partial<InferenceConfig> = {},
  { entry, observer, watch = true, traffic }: InferenceOptions = {},
): Promise<InferenceUnderTest> {
  const recorded = recordedLog();
  const { log } = recorded;
  const config = { ...readConfig({ MODELS_DIR: root, INFERENCE_WORKERS: '2', INFERENCE_DECODERS: '2' }), ...change };
  const metrics = new InferenceMetrics();
  const engine = await startConfiguredEngine(config, log, observer ?? metrics, entry?.pathname);
  const load = async (version: PublishedVersion) => metrics.observed(await engine.load(version));
  const requireDevice = () => engine.device();
  const source = { ...config, root, name: config.modelName, load, requireDevice, watch };
  const model = serveModels({ ...source, observer: traffic ?? metrics }, log);
  await model.start();
  await model.refresh(); // all that are to be held
  const images = { decode: createFilesDecoder(config.maximumPixels, engine.decode), admit: engine.admit };
  const evaluation = openEvaluation(config, engine.traffic, log);
  const app = buildApp({ model, images, evaluation, config, metrics, hasStarted: () => true, log });
  const close = async () => {
    await evaluation.close(0);
    await model.close();
    await engine.close();
    metrics.close();
  };
  return { ...recorded, app, model, engine, evaluation, metrics, close };
}

/** For an application in a test that evaluates nothing. */
export const NO_EVALUATION = openEvaluation(readConfig({}), new OnlineTraffic(), recordedLog().log);
