import {
  buildApp,
  createFilesDecoder,
  type Engine,
  type EngineObserver,
  type InferenceConfig,
  readConfig,
  type ServedModel,
  serveNewest,
  startConfiguredEngine,
} from '@atelier/inference';
import type { Express } from 'express';
import { type RecordedLog, recordedLog } from './recorded-log.ts';

export interface InferenceUnderTest extends RecordedLog {
  app: Express;
  model: ServedModel;
  engine: Engine;
  close(): Promise<void>;
}

/** What a test may have in its own way. */
export interface InferenceOptions {
  /** The compute process, when it is not the project's own. */
  entry?: URL;
  observer?: EngineObserver;
}

/** The inference application over the versions in `root`, with its compute process, without a port; a version is chosen. */
export async function openInference(
  root: string,
  change: Partial<InferenceConfig> = {},
  { entry, observer }: InferenceOptions = {},
): Promise<InferenceUnderTest> {
  const recorded = recordedLog();
  const { log } = recorded;
  const config = { ...readConfig({ MODELS_DIR: root, INFERENCE_WORKERS: '2', INFERENCE_DECODERS: '2' }), ...change };
  const engine = await startConfiguredEngine(config, log, observer, entry?.pathname);
  const model = serveNewest({ root, name: config.modelName, load: (version) => engine.load(version) }, log);
  await model.start();
  const images = { decode: createFilesDecoder(config.maximumPixels, engine.decode), admit: engine.admit };
  const app = buildApp({ model, images, config, log });
  const close = async () => {
    await model.close();
    await engine.close();
  };
  return { ...recorded, app, model, engine, close };
}
