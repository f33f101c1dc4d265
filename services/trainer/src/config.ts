import { ModelName } from '@atelier/domain';
import { AccessToken, LOG_LEVELS, readSettings, wholeNumber } from '@atelier/http';
import { z } from 'zod';
import { DEVICE_CHOICES } from './engines/devices.ts';

const RedisUrl = z.string('expected a URL').regex(/^rediss?:\/\/./, 'expected redis://... or rediss://...');
const QUEUE_URL = {
  variable: 'QUEUE_URL',
  description: 'Redis, redis://user:password@host:6379/0, to train on workers (`npm run worker`) and not here',
  secret: true,
};

/** What whoever trains is told by the environment: the service, and each worker. */
const TrainingSettings = z.object({
  runsDirectory: z
    .string()
    .default('runs')
    .meta({ variable: 'RUNS_DIR', description: 'Folder of the runs; must be writable, and shared with all workers' }),
  modelsDirectory: z
    .string()
    .default('models')
    .meta({ variable: 'MODELS_DIR', description: 'Folder of the published versions' }),
  modelName: ModelName.default('fashion-mlp').meta({
    variable: 'TRAINER_MODEL',
    description: 'Model whose next version a published run becomes',
  }),
  datasetDirectory: z.string().optional().meta({
    variable: 'FASHION_MNIST_DIR',
    description: 'Folder of the data set; without it the places that the README lists are searched',
  }),
  datasetCache: z
    .string()
    .default('data/fashion-mnist')
    .meta({ variable: 'TRAINER_DATASET_CACHE', description: 'Where a data set that is fetched is kept' }),
  device: z.enum(DEVICE_CHOICES).default('auto').meta({
    variable: 'TRAINER_DEVICE',
    description: 'Device without which nobody starts who trains, rather than train on another; auto asks for none',
  }),
  concurrency: wholeNumber(1, 64)
    .default(1)
    .meta({ variable: 'TRAINER_CONCURRENCY', description: 'Runs that one service or worker trains at a time' }),
  niceness: wholeNumber(0, 19).default(5).meta({
    variable: 'TRAINER_NICENESS',
    description: 'Of training processes, as `nice` counts: they give way to whoever answers requests',
  }),
  queueUrl: RedisUrl.optional().meta(QUEUE_URL),
  queuePrefix: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'expected lower-case letters, digits and hyphens')
    .default('atelier')
    .meta({ variable: 'QUEUE_PREFIX', description: 'What every key in Redis begins with' }),
  recoveryIntervalMs: wholeNumber(100, 3_600_000).default(5_000).meta({
    variable: 'TRAINER_RECOVERY_MS',
    description: 'How often runs are looked for that nobody works on, in ms',
  }),
  logLevel: z
    .enum(LOG_LEVELS)
    .default('info')
    .meta({ variable: 'LOG_LEVEL', description: 'Least important lines that are written' }),
});

/** Everything that the environment decides for a worker, read once at the start; it needs a queue. */
export const WorkerConfig = TrainingSettings.extend({ queueUrl: RedisUrl.meta(QUEUE_URL) });
export type WorkerConfig = Readonly<z.infer<typeof WorkerConfig>>;

/** The same for the service. */
export const TrainerConfig = z.object({
  host: z.string().default('127.0.0.1').meta({
    variable: 'TRAINER_HOST',
    description: 'Address to listen on; any but this machine alone needs a token',
  }),
  port: wholeNumber(0, 65_535)
    .default(8081)
    .meta({ variable: 'TRAINER_PORT', description: 'TCP port; 0 takes any free one' }),
  token: AccessToken.optional().meta({
    variable: 'TRAINER_TOKEN',
    description: 'What a request must bring as `Authorization: Bearer`, but for the probes; at least 16 characters',
    secret: true,
  }),
  maximumQueued: wholeNumber(1, 100_000)
    .default(1000)
    .meta({ variable: 'TRAINER_MAX_QUEUED', description: 'Runs that may wait; more are refused with 429' }),
  maximumBodyBytes: wholeNumber(1024, 16 * 1024 * 1024)
    .default(256 * 1024)
    .meta({ variable: 'TRAINER_MAX_BODY_BYTES', description: 'Largest body of a request, in bytes' }),
  ...TrainingSettings.shape,
});
export type TrainerConfig = Readonly<z.infer<typeof TrainerConfig>>;

/** `invalid-configuration` reports every fault together. */
export function readTrainerConfig(environment: Record<string, string | undefined>): TrainerConfig {
  return readSettings(TrainerConfig, environment);
}

export function readWorkerConfig(environment: Record<string, string | undefined>): WorkerConfig {
  return readSettings(WorkerConfig, environment);
}
