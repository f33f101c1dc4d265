import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { listen, type Log, refuseOpenAddress } from '@atelier/http';
import { buildTrainerApp, findFault } from './app.ts';
import type { TrainerConfig, WorkerConfig } from './config.ts';
import { BullmqQueue } from './queue/bullmq-queue.ts';
import { EmbeddedQueue } from './queue/embedded-queue.ts';
import type { Run } from './runs/run.ts';
import { Searches } from './searches/searches.ts';
import {
  canTrain,
  type FindMachines,
  listMachineDevices,
  requireDevice,
  thisMachine,
  TrainingMachine,
} from './supervision/known-devices.ts';
import { Trainer, type TrainerOptions } from './supervision/trainer.ts';

/** A service or a worker that runs. */
export interface Started {
  close(): Promise<void>;
}

/** What a training may take to end before it is killed, in ms: less than what a service has to stop. */
const GRACE_MS = 15_000;

/** Requests to the trainer are small; whoever takes longer to send one holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 30_000;

/** How often a search looks at its runs, in ms. */
const SEARCH_POLL_MS = 200;

/** How often a worker says that it is alive, in ms. */
const ANNOUNCE_MS = 10_000;

/** What an address that others reach would be open to without a token. */
export const OPEN_ADDRESS = {
  hostVariable: 'TRAINER_HOST',
  tokenVariable: 'TRAINER_TOKEN',
  danger: 'start trainings',
} as const;

/**
 * Starts the service; trains here, unless a queue is named from which workers train. Rejects with `device-unavailable` where it
 * trains here and the device that the configuration wants cannot be used.
 */
export async function startTrainer(
  config: TrainerConfig,
  log: Log,
): Promise<Started & { url: string; ready: boolean }> {
  refuseOpenAddress(config.host, config.token ?? null, OPEN_ADDRESS);
  const fault = await findFault(config.runsDirectory);
  if (fault !== null) log.error(fault.message);
  const { trainer, findMachines, trainsHere } = createTrainer(config, log);
  if (trainsHere) await requireWanted(findMachines, config);
  const { concurrency: parallel, recoveryIntervalMs } = config;
  const searches = new Searches(trainer, { parallel, pollMs: SEARCH_POLL_MS, recoveryIntervalMs }, log);
  const closing = new AbortController();
  const app = buildTrainerApp({ log, trainer, searches, findMachines, config, fault, closing: closing.signal });
  const listening = await listen(app, config.host, config.port, { log, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  if (fault === null) {
    await trainer.start();
    if (trainsHere) await trainer.work(config.concurrency);
    await searches.start();
  }
  log.info({ url: listening.url }, 'Trainer listens');
  return {
    url: listening.url,
    ready: fault === null,
    close: async () => {
      closing.abort();
      await Promise.all([listening.close(), searches.stop(), trainer.stop()]);
    },
  };
}

export interface CreatedTrainer {
  trainer: Trainer;
  findMachines: FindMachines;
  /** False where workers train what is queued. */
  trainsHere: boolean;
}

/** A trainer with the queue that the configuration names; it looks after the runs that are `isOurs`, by default all. */
export function createTrainer(
  config: TrainerConfig,
  log: Log,
  isOurs: TrainerOptions['isOurs'] = () => true,
): CreatedTrainer {
  const options = { ...optionsOf(config, config.maximumQueued), isOurs };
  if (config.queueUrl === undefined) {
    const queue = new EmbeddedQueue({ onFault: (message) => log.error(message) });
    return { trainer: new Trainer(queue, options, log), findMachines: thisMachine(), trainsHere: true };
  }
  const queue = sharedQueue(config.queueUrl, config, log);
  return { trainer: new Trainer(queue, options, log), findMachines: workersOf(queue), trainsHere: false };
}

/**
 * Starts a worker, which trains what services queue. Rejects with `device-unavailable` where the device that the configuration
 * wants cannot be used.
 */
export async function startWorker(config: WorkerConfig, log: Log): Promise<Started> {
  const fault = await findFault(config.runsDirectory);
  if (fault !== null) throw fault;
  const machine = { host: hostname(), devices: await listMachineDevices() };
  await requireWanted(() => Promise.resolve([machine]), config);
  const queue = sharedQueue(config.queueUrl, config, log);
  const options = { ...optionsOf(config, Infinity), canTrain: (run: Run) => canTrain(machine, run) };
  const trainer = new Trainer(queue, options, log);
  const worker = { id: randomUUID(), ...machine };
  const announcement = await queue.directory.announce(worker, ANNOUNCE_MS);
  await trainer.work(config.concurrency);
  log.info({ worker: worker.id }, 'Worker waits for runs');
  return {
    close: async () => {
      await announcement.close();
      await trainer.stop();
    },
  };
}

/** Without it a run that asks for `auto` would be trained on another device in silence, while a GPU is held for nothing. */
async function requireWanted(findMachines: FindMachines, { device }: WorkerConfig | TrainerConfig): Promise<void> {
  if (device !== 'auto') requireDevice(await findMachines(), 'auto', device);
}

function sharedQueue(url: string, { queuePrefix: prefix }: WorkerConfig | TrainerConfig, log: Log): BullmqQueue {
  return new BullmqQueue(url, { prefix, onFault: (message) => log.error(message) });
}

function workersOf({ directory }: BullmqQueue): FindMachines {
  return async () => (await directory.workers()).map(({ host, devices }) => TrainingMachine.parse({ host, devices }));
}

function optionsOf(config: WorkerConfig | TrainerConfig, maximumQueued: number): TrainerOptions {
  const { runsDirectory, modelsDirectory, modelName, niceness, recoveryIntervalMs } = config;
  return {
    runsDirectory,
    modelsDirectory,
    modelName,
    dataset: { directory: config.datasetDirectory, cacheDirectory: config.datasetCache },
    niceness,
    graceMs: GRACE_MS,
    maximumQueued,
    recoveryIntervalMs,
    isOurs: () => true,
    canTrain: () => true, // what is missing shows when it is tried, with the reason
  };
}
