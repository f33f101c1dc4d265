import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InferenceConfig } from '@atelier/inference';
import { readTrainerConfig, type TrainerConfig } from '@atelier/trainer';

/** Where the command line finds things, from the environment, read once; paths are absolute. */
export interface Settings {
  /** The repository's folder. */
  root: string;
  modelsDirectory: string;
  runsDirectory: string;
  /** FASHION_MNIST_DIR, where it is set. */
  datasetDirectory: string | undefined;
  datasetCache: string;
  /** The trainer service's own settings with the folders above; `invalid-configuration` reports every fault together. */
  readTrainerConfig: () => TrainerConfig;
  /** The same of the inference service; its libraries are loaded for it. */
  readInferenceConfig: () => Promise<InferenceConfig>;
}

export function readSettings(environment: Record<string, string | undefined>): Settings {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const given = (variable: string) => (environment[variable] === '' ? undefined : environment[variable]);
  const modelsDirectory = resolve(given('MODELS_DIR') ?? join(root, 'models'));
  const runsDirectory = resolve(given('RUNS_DIR') ?? join(root, 'runs'));
  const datasetCache = join(root, 'data', 'fashion-mnist');
  return {
    root,
    modelsDirectory,
    runsDirectory,
    datasetDirectory: given('FASHION_MNIST_DIR'),
    datasetCache,
    readTrainerConfig: () =>
      readTrainerConfig({
        TRAINER_DATASET_CACHE: datasetCache,
        ...environment,
        MODELS_DIR: modelsDirectory,
        RUNS_DIR: runsDirectory,
      }),
    readInferenceConfig: async () => {
      const { readConfig } = await import('@atelier/inference');
      return readConfig({ INFERENCE_DATASET_CACHE: datasetCache, ...environment, MODELS_DIR: modelsDirectory });
    },
  };
}

/** The model that this project trains; a repository may hold others beside it. */
export const MODEL_NAME = 'fashion-mlp';
