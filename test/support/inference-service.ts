import {
  buildApp,
  createFilesDecoder,
  type InferenceConfig,
  loadPredictor,
  readConfig,
  type ServedModel,
  serveNewest,
} from '@atelier/inference';
import type { PublishedVersion } from '@atelier/model-repository';
import type { Express } from 'express';
import { type RecordedLog, recordedLog } from './recorded-log.ts';

export interface InferenceUnderTest extends RecordedLog {
  app: Express;
  model: ServedModel;
  close(): Promise<void>;
}

/** The inference application over the versions in `root`, with its worker, without a port; a version is chosen. */
export async function openInference(
  root: string,
  change: Partial<InferenceConfig> = {},
  entry?: URL,
): Promise<InferenceUnderTest> {
  const recorded = recordedLog();
  const { log } = recorded;
  const config = { ...readConfig({ MODELS_DIR: root }), ...change };
  const options = entry === undefined ? { log } : { log, entry };
  const load = (version: PublishedVersion) => loadPredictor(version, options);
  const model = serveNewest({ root, name: config.modelName, load }, log);
  await model.start();
  const app = buildApp({ model, decode: createFilesDecoder(config.maximumPixels), config, log });
  return { ...recorded, app, model, close: () => model.close() };
}
