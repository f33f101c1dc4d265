import { readFile } from 'node:fs/promises';
import { describeIssues, Digest, DomainError, messageOf, ModelName, Recipe } from '@atelier/domain';
import { z } from 'zod';
import { DEVICES } from '../engines/devices.ts';

export const RUN_STATES = ['running', 'finished', 'interrupted', 'failed'] as const;

/** `run.json`: what a run is, and how it ended. A process that was killed leaves `running` behind. */
export const Run = z.strictObject({
  id: z.string(),
  state: z.enum(RUN_STATES),
  recipe: Recipe,
  engine: z.strictObject({
    name: z.enum(['tfjs', 'onnx']),
    kind: z.enum(DEVICES).default('cpu').describe('Of device; a resumed run asks for it'),
    device: z.string().describe('In the words of the engine, with the number of threads where its bits depend on it'),
    threads: z.int().positive().nullable().default(null).describe('A resumed run takes as many; null: none to choose'),
    software: z
      .record(z.string(), z.string())
      .nullable()
      .default(null)
      .describe('Versions of what computes; a resumed run must have the same. Older runs have none'),
    reason: z.string(),
  }),
  data: z.strictObject({ digest: Digest, source: z.string(), limit: z.int().positive().nullable() }),
  publishAs: ModelName.nullable().default(null).describe('The model whose next version this run was asked to become'),
  startedAt: z.iso.datetime(),
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
});
export type Run = z.infer<typeof Run>;

/** How many threads a run's engine has; older runs say so in words alone. */
export function threadsOf({ engine: { threads, device } }: Run): number | null {
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
