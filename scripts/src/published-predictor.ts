import { createLog } from '@atelier/http';
import { type Predictor, readConfig, startConfiguredEngine } from '@atelier/inference';
import { resolveVersion } from '@atelier/model-repository';
import { MODEL_NAME, type Settings } from './settings.ts';

/** One engine on the CPU: a command has one thing to compute at a time, and answers alike everywhere. */
const CONFIG = readConfig({ DEVICE: 'cpu', INFERENCE_WORKERS: '1', INFERENCE_DECODERS: '1' });

export interface VersionChoice {
  /** Default: the model of this project. */
  model?: string | undefined;
  version: number | 'latest';
}

/** Lends a version's predictor, with every check a server makes at load, to `use`, and releases it afterwards. */
export function withPredictor<T>(
  settings: Settings,
  version: number | 'latest',
  use: (predictor: Predictor) => Promise<T>,
): Promise<T> {
  return withPredictors(settings, { version }, undefined, use);
}

/** The same of one version and, where it is given, a second one on the same engine. */
export async function withPredictors<T>(
  settings: Settings,
  first: VersionChoice,
  second: VersionChoice | undefined,
  use: (first: Predictor, second: Predictor | undefined) => Promise<T>,
): Promise<T> {
  const resolved = ({ model = MODEL_NAME, version }: VersionChoice) =>
    resolveVersion(settings.modelsDirectory, model, version);
  const [one, other] = [await resolved(first), second && (await resolved(second))];
  const engine = await startConfiguredEngine(CONFIG, createLog('atelier', 'silent'));
  try {
    return await use(await engine.load(one), other && (await engine.load(other)));
  } finally {
    await engine.close();
  }
}
