import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the command line finds things, from the environment, read once; paths are absolute. */
export interface Settings {
  /** The repository's folder. */
  root: string;
  modelsDirectory: string;
  runsDirectory: string;
  /** FASHION_MNIST_DIR, where it is set. */
  datasetDirectory: string | undefined;
  datasetCache: string;
}

export function readSettings(environment: Record<string, string | undefined>): Settings {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const given = (variable: string) => (environment[variable] === '' ? undefined : environment[variable]);
  return {
    root,
    modelsDirectory: resolve(given('MODELS_DIR') ?? join(root, 'models')),
    runsDirectory: resolve(given('RUNS_DIR') ?? join(root, 'runs')),
    datasetDirectory: given('FASHION_MNIST_DIR'),
    datasetCache: join(root, 'data', 'fashion-mnist'),
  };
}

/** The model that this project trains; a repository may hold others beside it. */
export const MODEL_NAME = 'fashion-mlp';
