import { createLog } from '@atelier/http';
import { loadPredictor, type Predictor } from '@atelier/inference';
import { resolveVersion } from '@atelier/model-repository';
import { MODEL_NAME, type Settings } from './settings.ts';

/** Lends a version's predictor, with every check a server makes at load, to `use`, and releases it afterwards. */
export async function withPredictor<T>(
  settings: Settings,
  version: number | 'latest',
  use: (predictor: Predictor) => Promise<T>,
): Promise<T> {
  const published = await resolveVersion(settings.modelsDirectory, MODEL_NAME, version);
  const predictor = await loadPredictor(published, { log: createLog('atelier', 'silent') });
  try {
    return await use(predictor);
  } finally {
    await predictor.close();
  }
}
