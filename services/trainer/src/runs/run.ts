import { readFile } from 'node:fs/promises';
import { describeIssues, Digest, DomainError, messageOf, ModelName, Recipe, TrainingSource } from '@atelier/domain';
import { z } from 'zod';
import { DEVICE_CHOICES, DEVICES, ENGINE_CHOICES, ENGINES } from '../engines/devices.ts';
import { RUN_STATES } from './run-states.ts';

/** What was asked for of a run's engine and data, beside its recipe. */
export const RunRequest = z.strictObject({
  engine: z.enum(ENGINE_CHOICES).describe('Which engine trains; auto takes the best that works'),
  device: z.enum(DEVICE_CHOICES).describe('Where it computes; one that is asked for is never replaced by another'),
  threads: z
    .int()
    .positive()
    .nullable()
    .describe('Of the ONNX engine on the CPU; null: one for each core that the process may use'),
  limit: z.int().positive().nullable().describe('Train and validate on so many images; null: on all'),
});
export type RunRequest = z.infer<typeof RunRequest>;

/** What a service needs to attend to a run; a run of the command line has none of it. */
export const Job = z.strictObject({
  queuedAt: z.iso.datetime().describe('When it was asked for'),
  recoveries: z.int().min(0).describe('Times that it was resumed by itself after a crash, since it was last asked for'),
  untilEpoch: z.int().positive().nullable().describe('It pauses after this epoch; null: it goes to its end'),
  trial: z
    .strictObject({ search: z.string(), number: z.int().min(0) })
    .nullable()
    .describe('The search that it is a trial of'),
  idempotency: z
    .strictObject({ key: z.string(), request: Digest })
    .nullable()
    .describe('The Idempotency-Key that it was asked for with, and of which request'),
});
export type Job = z.infer<typeof Job>;

/** `run.json`: what a run is, and how it ended. A process that was killed leaves `running` behind. */
export const Run = z.strictObject({
  id: z.string(),
  state: z.enum(RUN_STATES),
  recipe: Recipe,
  request: RunRequest.nullable().default(null).describe('Older runs have none'),
  job: Job.nullable().default(null).describe('Null for a run of the command line'),
  engine: z
    .strictObject({
      name: z.enum(ENGINES),
      kind: z.enum(DEVICES).default('cpu').describe('Of device; a resumed run asks for it'),
      device: z.string().describe('In the words of the engine, with the number of threads where its bits depend on it'),
      threads: z
        .int()
        .positive()
        .nullable()
        .default(null)
        .describe('A resumed run takes as many; null: none to choose'),
      software: z
        .record(z.string(), z.string())
        .nullable()
        .default(null)
        .describe('Versions of what computes; a resumed run must have the same. Older runs have none'),
      reason: z.string(),
    })
    .nullable()
    .describe('Null until the training has begun'),
  data: z
    .strictObject({ digest: Digest, source: z.string(), limit: z.int().positive().nullable() })
    .nullable()
    .describe('Null until the training has begun'),
  source: TrainingSource.nullable()
    .default(null)
    .describe('The model that the training goes on from; null: weights that the recipe draws'),
  publishAs: ModelName.nullable().default(null).describe('The model whose next version this run was asked to become'),
  startedAt: z.iso.datetime().nullable().describe('Null until the training has begun'),
  resumedAt: z.array(z.iso.datetime()).default([]),
  endedAt: z.iso.datetime().nullable(),
  epochs: z.int().min(0).describe('Completed'),
  bestEpoch: z.int().positive().nullable(),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  digests: z
    .record(z.string(), Digest)
    .nullable()
    .default(null)
    .describe('Of the files of the export, by path; null where there is none yet. Older runs have none'),
  published: z.strictObject({ name: z.string(), version: z.int().positive() }).nullable(),
  unpublished: z
    .strictObject({ code: z.string(), message: z.string() })
    .nullable()
    .default(null)
    .describe('Why a finished run that was asked to be published was not'),
});
export type Run = z.infer<typeof Run>;

/** A run whose training has begun: what computes, and with which data, is settled for good. */
export type BegunRun = Run & {
  [Field in 'engine' | 'data' | 'startedAt']: NonNullable<Run[Field]>;
};

export function isBegun(run: Run): run is BegunRun {
  return run.engine !== null && run.data !== null && run.startedAt !== null;
}

/** How many threads a run's engine has; older runs say so in words alone. */
export function threadsOf({ engine: { threads, device } }: BegunRun): number | null {
  const inWords = /^cpu, (\d+) threads?$/.exec(device)?.[1];
  return threads ?? (inWords === undefined ? null : Number(inWords));
}

/** Checks the text of a `run.json`; `invalid-run` names the file and each faulty field. */
export function parseRun(text: string, file: string): Run {
  return parseWith(Run, text, file);
}

/** The text of a file of a run, or null where there is none; `invalid-run` where it is there and cannot be read. */
export async function readText(path: string): Promise<string | null> {
  return (await readBytes(path))?.toString() ?? null;
}

/** The same, byte by byte. */
export async function readBytes(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new DomainError('invalid-run', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** The JSON `text` at `place`, checked; `invalid-run` names the place and each faulty field. */
export function parseWith<Schema extends z.ZodType>(schema: Schema, text: string, place: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const faults = cause instanceof z.ZodError ? describeIssues(cause) : messageOf(cause);
    throw new DomainError('invalid-run', `${place}: ${faults}`, { cause });
  }
}
