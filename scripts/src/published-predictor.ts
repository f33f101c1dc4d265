import { createLog } from '@atelier/http';
import { type Predictor, readConfig, startConfiguredEngine } from '@atelier/inference';
import { resolveVersion } from '@atelier/model-repository';
import { MODEL_NAME, type Settings } from './settings.ts';

/** One engine on the CPU: a command has one thing to compute at a time, and answers alike everywhere. */
const CONFIG = readConfig({ DEVICE: 'cpu', INFERENCE_WORKERS: '1', INFERENCE_DECODERS: '1' });

/** Lends a version's predictor, with every check a server makes at load, to `use`, and releases it afterwards. */
export async function withPredictor<T>(
  settings: Settings,
  version: number | 'latest',
  use: (predictor: Predictor) => Promise<T>,
): Promise<T> {
  const published = await resolveVersion(settings.modelsDirectory, MODEL_NAME, version);
  const engine = await startConfiguredEngine(CONFIG, createLog('atelier', 'silent'));
  try {
    return await use(await engine.load(published));
  } finally {
    await engine.close();
  }
}
