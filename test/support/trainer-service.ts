import { join } from 'node:path';
import { createLog, type Log } from '@atelier/http';
import {
  buildTrainerApp,
  EmbeddedQueue,
  findFault,
  type NewRun,
  Searches,
  Trainer,
  type TrainerConfig,
} from '@atelier/trainer';
import type { Express } from 'express';
import { ROOT } from './programs.ts';
import { smallRecipe } from './small-recipe.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface TestTrainer {
  app: Express;
  trainer: Trainer;
  searches: Searches;
  runsDirectory: string;
  modelsDirectory: string;
  /** Ends streams, as a service that stops does. */
  closeStreams: () => void;
  /** Stops everything and removes the folders. */
  remove: () => Promise<void>;
}

export interface TestTrainerOptions {
  config?: Partial<TrainerConfig>;
  maximumQueued?: number;
  log?: Log;
  queue?: EmbeddedQueue;
  /** One that another trainer had; it is not removed. */
  runsDirectory?: string;
  /** Before the trainer sees its folder of runs, which is not there yet. */
  prepare?: (runsDirectory: string) => Promise<unknown>;
}

/** A trainer with folders of its own; it trains nothing before `trainer.work`. */
export async function testTrainer({
  config = {},
  maximumQueued = 100,
  log = createLog('test', 'silent'),
  prepare,
  queue = new EmbeddedQueue(),
  ...shared
}: TestTrainerOptions = {}): Promise<TestTrainer> {
  const folder = await temporaryFolder();
  const runsDirectory = shared.runsDirectory ?? join(folder.path, 'runs');
  const modelsDirectory = join(folder.path, 'models');
  await prepare?.(runsDirectory);
  const options = {
    runsDirectory,
    modelsDirectory,
    modelName: 'fashion-mlp',
    dataset: { directory: undefined, cacheDirectory: join(ROOT, 'data', 'fashion-mnist') },
    niceness: 0,
    graceMs: 15_000,
    maximumQueued,
    recoveryIntervalMs: 500,
    isOurs: () => true,
    canTrain: () => true,
  };
  const trainer = new Trainer(queue, options, log);
  const searches = new Searches(trainer, { parallel: 1, pollMs: 50 }, log);
  const closing = new AbortController();
  const app = buildTrainerApp({
    log,
    trainer,
    searches,
    findMachines: () =>
      Promise.resolve([
        {
          host: 'here',
          devices: [
            { engine: 'onnx', device: 'cuda', usable: false, name: null, reason: 'no GPU', remedy: 'buy one' },
            { engine: 'onnx', device: 'cpu', usable: true, name: 'cpu', reason: null, remedy: null },
          ],
        },
      ]),
    config: { maximumBodyBytes: 65_536, ...config },
    fault: await findFault(runsDirectory),
    closing: closing.signal,
  });
  return {
    app,
    trainer,
    searches,
    runsDirectory,
    modelsDirectory,
    closeStreams: () => closing.abort(),
    remove: async () => {
      closing.abort();
      await searches.stop();
      await trainer.stop();
      await folder.remove();
    },
  };
}

/** A run of a recipe that trains in milliseconds; `change` replaces whole fields. */
export function smallRun(change: Partial<NewRun> = {}): NewRun {
  return {
    recipe: smallRecipe(),
    request: { engine: 'onnx', device: 'cpu', threads: 1, limit: 1000 },
    publish: false,
    ...change,
  };
}
