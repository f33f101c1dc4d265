import { appendFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EpochReport } from '../epoch-report.ts';
import { storageError } from './whole-file.ts';

/** Readers take an event of at most this length; whole messages stand in `run.json`. */
const MAXIMUM_MESSAGE = 4000;

const Failure = z.strictObject({ code: z.string(), message: z.string().max(MAXIMUM_MESSAGE) });

const Version = z.strictObject({ name: z.string(), version: z.int().positive() });

/** What a step says: the mean over the epoch so far. */
const StepReport = z.strictObject({
  epoch: z.int().positive(),
  epochs: z.int().positive().describe('Of the recipe'),
  step: z.int().positive().describe('Of the epoch, counted from 1'),
  stepsPerEpoch: z.int().positive(),
  loss: z.number().describe('Mean over the steps of the epoch so far, in nats'),
  imagesPerSecond: z.number(),
  validationAccuracy: z.number().nullable().describe('Of the epoch before'),
});

const DATA = {
  queued: z.strictObject({ recovery: z.int().min(0).describe('Above 0: resumed by itself after a crash') }),
  started: z.strictObject({
    engine: z.string(),
    device: z.string(),
    afterEpoch: z.int().min(0).describe('Above 0: goes on from the checkpoint of this epoch'),
  }),
  step: StepReport,
  epoch: EpochReport,
  checkpoint: z.strictObject({ epoch: z.int().positive() }),
  interrupted: Failure,
  finished: z.strictObject({
    epochs: z.int().min(0),
    bestEpoch: z.int().positive().nullable(),
    published: Version.nullable(),
    unpublished: Failure.nullable().describe('Why it was not published although it was asked for'),
  }),
  failed: Failure,
  cancelled: z.strictObject({ reason: z.string().max(MAXIMUM_MESSAGE) }),
  published: Version.describe('After it was finished'),
} as const;

export type RunEventName = keyof typeof DATA;
export type RunEventData<Name extends RunEventName> = z.infer<(typeof DATA)[Name]>;

/** A line of `events.ndjson`: what happened in a run, and when. */
export const RunEvent = z.union(
  Object.entries(DATA).map(([event, data]) =>
    z.strictObject({ at: z.iso.datetime(), event: z.literal(event as RunEventName), data }),
  ),
);
export type RunEvent = z.infer<typeof RunEvent>;

/** Why a run ended early, as an event says it. */
export function failureOf({ code, message }: { code: string; message: string }): z.infer<typeof Failure> {
  return { code, message: message.slice(0, MAXIMUM_MESSAGE) };
}

/** What a line says; null where somebody has made something else of it, or it is a part of one. */
export function parseEvent(line: string): { at: string; event: RunEventName; data: object } | null {
  try {
    const { at, event, data } = JSON.parse(line) as { at: string; event: RunEventName; data: object };
    return typeof event === 'string' && typeof data === 'object' ? { at, event, data } : null;
  } catch {
    return null;
  }
}

/** Where the events of a run stand. */
export function eventsPath(directory: string): string {
  return join(directory, 'events.ndjson');
}

/** Appends to a run's `events.ndjson`, for whoever holds the run's lock. */
export class EventLog {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Cuts off a last line that a crash left without its end: nobody has read it as an event. */
  static async open(path: string): Promise<EventLog> {
    const file = await open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw storageError(error, path);
    });
    if (file !== null) {
      try {
        await file.truncate(await wholeLines(file));
      } finally {
        await file.close();
      }
    }
    return new EventLog(path);
  }

  /** At once, so that events stand in the order in which they happened. */
  append<Name extends RunEventName>(event: Name, data: RunEventData<Name>): void {
    try {
      appendFileSync(this.#path, `${JSON.stringify({ at: new Date().toISOString(), event, data })}\n`);
    } catch (error) {
      throw storageError(error, this.#path);
    }
  }
}

/** How long the lines of a file are together, without a last one that has no end, in bytes. */
async function wholeLines(file: FileHandle): Promise<number> {
  let end = (await file.stat()).size;
  const block = Buffer.alloc(4096);
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    const newline = block.subarray(0, bytesRead).lastIndexOf('\n');
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}
